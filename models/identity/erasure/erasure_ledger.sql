-- Whom we must not know again, as salted hashes. Only ever added to: a request that the privacy desk's table forgets
-- holds on, and what an erased person's identifier leads to is that person come back, unless they did something
-- themselves since: see known_records.
{{ config(materialized='incremental', incremental_strategy='append', full_refresh=false) }}
-- depends_on: {{ ref('request_ledger') }}
-- depends_on: {{ ref('own_acts') }}
-- depends_on: {{ ref('returning_persons') }}

with held as (
    select distinct customer_id from {{ ref('legal_hold_customers') }}
),

subjects as (
    select * from {{ ref('erasure_subjects') }}
),

leads as (
    select distinct
        identifier_type,
        identifier,
        n_customers
    from {{ ref('privacy_request_matches') }}
),

requested as (
    select
        named.named_by_id as request_id,
        named.identifier_type,
        named.identifier_as_given,
        named.identifier,
        named.widest_mailbox,
        coalesce(leads.n_customers, 0) as n_customers,
        subjects.verdict,
        subjects.is_held
    from {{ ref('privacy_request_identifiers') }} as named
    inner join subjects on named.named_by_id = subjects.request_id
    left join leads on named.identifier_type = leads.identifier_type and named.person_identifier = leads.identifier
    where named.named_by = 'erasure request'
),

identity_records as (
    select * from {{ ref('identity_records') }}
),

records as (
    select * from {{ ref('record_clusters') }}
),

salt as (
    select salt from {{ ref('erasure_salt') }}
),

joining as (
    select * from {{ ref('joining_identifiers') }}
),

record_identifiers as (
    select
        record_key,
        customer_id,
        'record' as identifier_type,
        record_key as identifier
    from records
    union all
    select
        record_key,
        customer_id,
        'record' as identifier_type,
        'shop_customer:' || identifier as identifier
    from joining
    where identifier_type = 'shop_customer_id'
),

{% if is_incremental() -%}
come_back as (
    select * from {{ ref('returning_persons') }}
),

known_requests as (
    select distinct request_id from {{ this }}
),

{% else -%}
known_requests as (
    select request_id from subjects where 1 = 0
),

{% endif -%}
agreeing as (
    select subjects.*
    from subjects
    left join {{ ref('requests_naming_erased_others') }} as naming_others on subjects.request_id = naming_others.request_id
    where subjects.verdict <> 'contradicts itself' and naming_others.request_id is null
),

erased as (
    select
        request_id,
        customer_id
    from agreeing
    where verdict = 'one person'
    {%- if is_incremental() %}
    union distinct
    select
        request_id,
        customer_id
    from come_back
    {%- endif %}
),

moments as (
    select
        request_id,
        min(received_at) as received_at
    from {{ ref('request_ledger') }}
    group by request_id
    {%- if is_incremental() %}
    union all
    -- Of a request that was forgotten before request_ledger was there.
    select
        request_id,
        min(recorded_at) as received_at
    from {{ this }}
    where request_id not in (select request_id from {{ ref('request_ledger') }})
    group by request_id
    {%- endif %}
),

touched as (
    select
        erased.request_id,
        records.record_key,
        records.customer_id,
        records.first_seen_at,
        coalesce(moments.received_at, {{ as_of() }}) as received_at
    from erased
    inner join records on erased.customer_id = records.customer_id
    left join moments on erased.request_id = moments.request_id
    left join held on erased.customer_id = held.customer_id
    where held.customer_id is null
),

judged as (
    {{ records_come_back('touched') }}
),

-- Of what is theirs again only the past is erased: see known_records.
erased_now as (
    select
        request_id,
        record_key,
        customer_id
    from judged
    where not coalesce(is_back and first_seen_at > received_at, false)
),

erased_joining as (
    select
        erased_now.request_id,
        joining.*
    from joining
    inner join erased_now on joining.record_key = erased_now.record_key
),

erased_contacts as (
    select
        erased_now.request_id,
        erased_now.customer_id,
        identity_records.email,
        case when identity_records.email is not null then identity_records.widest_mailbox end as widest_mailbox,
        identity_records.phone,
        identity_records.phone_as_given
    from identity_records
    inner join erased_now on identity_records.record_key = erased_now.record_key
),

-- An address that is one customer's alone says who logged in with it on a device.
own_addresses as (
    select identity_records.email
    from identity_records
    inner join records on identity_records.record_key = records.record_key
    where identity_records.email in (select email from erased_contacts)
    group by identity_records.email
    having count(distinct records.customer_id) = 1
),

logins as (
    select
        erased_contacts.request_id,
        'email' as identifier_type,
        own_addresses.email as identifier
    from erased_contacts
    inner join own_addresses on erased_contacts.email = own_addresses.email
    union distinct
    select
        request_id,
        identifier_type,
        identifier
    from erased_joining
    where identifier_type = 'shop_customer_id'
),

-- What a request names that may still lead to the person later: a name that leads to no one yet, or to somebody under a
-- legal hold, whose names are not looked up before it ends. A request that contradicts itself leaves nothing.
named as (
    select requested.*
    from requested
    inner join agreeing on requested.request_id = agreeing.request_id
),

mailboxes as (
    select
        named.request_id,
        named.identifier as mailbox
    from named
    left join known_requests on named.request_id = known_requests.request_id
    where
        named.identifier_type = 'email'
        and (named.n_customers = 0 or (named.verdict = 'one person' and named.is_held))
        and known_requests.request_id is null
),

identifiers as (
    select
        erased_now.request_id,
        record_identifiers.identifier_type,
        record_identifiers.identifier
    from record_identifiers
    inner join erased_now on record_identifiers.record_key = erased_now.record_key
    union all
    select
        marks.request_id,
        {{ name_mark_type('marks.identifier_type') }} as identifier_type,
        marks.identifier || '|' || marks.mark as identifier
    from (
        {{ name_marks("(select * from erased_joining where identifier_type <> 'shop_customer_id')", ['request_id'], 'erased') }}
    ) as marks
    union all
    select
        request_id,
        'mailbox' as identifier_type,
        identifier || '|no name' as identifier
    from erased_joining
    where identifier_type = 'email'
    union all
    select
        request_id,
        'mailbox' as identifier_type,
        identifier || '|any name' as identifier
    from erased_joining
    where identifier_type = 'email'
    group by request_id, identifier
    having max(case when has_given_name then 1 else 0 end) = 0
    {% for column, identifier_type in {
        'email': 'email', 'widest_mailbox': 'widest mailbox', 'phone': 'phone', 'phone_as_given': 'phone'
    }.items() -%}
    union all
    select
        request_id,
        '{{ identifier_type }}' as identifier_type,
        {{ column }} as identifier
    from erased_contacts
    where {{ column }} is not null
    {% endfor -%}
    union all
    select
        logins.request_id,
        'record' as identifier_type,
        'web_visitor:' || visitor_logins.visitor_id as identifier
    from logins
    inner join {{ ref('visitor_logins') }} as visitor_logins
        on logins.identifier_type = visitor_logins.identifier_type and logins.identifier = visitor_logins.identifier
    union all
    select
        request_id,
        identifier_type,
        identifier_as_given as identifier
    from named
    where not is_held and (identifier_type = 'email' or (identifier_type = 'phone' and (n_customers = 0 or verdict <> 'names nobody')))
    union all
    select
        request_id,
        'widest mailbox' as identifier_type,
        widest_mailbox as identifier
    from named
    where not is_held and widest_mailbox is not null
    union all
    select
        request_id,
        'record' as identifier_type,
        'shop_customer:' || identifier as identifier
    from named
    where identifier_type = 'shop_customer_id' and n_customers <= 1
    union all
    -- That it was carried out, and when: what erasure_requests says for good.
    select distinct
        request_id,
        'carried out' as identifier_type,
        'carried out' as identifier
    from erased_now
    union all
    select
        mailboxes.request_id,
        'mailbox' as identifier_type,
        mailboxes.mailbox || '|no name' as identifier
    from mailboxes
    union all
    select
        mailboxes.request_id,
        'mailbox' as identifier_type,
        mailboxes.mailbox || '|any name' as identifier
    from mailboxes
),

hashed as (
    select distinct
        identifiers.request_id,
        identifiers.identifier_type,
        {{ identifier_hash('identifiers.identifier_type', 'identifiers.identifier') }} as identifier_hash,
        {{ dbt.hash('salt.salt') }} as salt_id
    from identifiers
    cross join salt
)

select
    hashed.request_id,
    hashed.identifier_type,
    hashed.identifier_hash,
    hashed.salt_id,
    {{ as_of() }} as recorded_at
from hashed
{% if is_incremental() -%}
left join {{ this }} as known
    on hashed.request_id = known.request_id and hashed.identifier_hash = known.identifier_hash
where known.request_id is null
{%- endif %}
