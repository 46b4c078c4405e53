-- Erased persons, as salted hashes. Rows are only added, so a request stays in force after the privacy desk deletes it. A
-- record with an erased person's identifier is that person come back, unless they have acted themselves since: see
-- known_records.
-- Longer than 120 lines because no table may hold the identifiers of an erased person before they are hashed, so all steps are
-- one statement.
{{ config(materialized='incremental', incremental_strategy='append', full_refresh=false) }}
-- depends_on: {{ ref('request_ledger') }}
-- depends_on: {{ ref('own_acts') }}
-- depends_on: {{ ref('returning_persons') }}

with held_customers as (
    select distinct customer_id from {{ ref('legal_hold_customers') }}
),

subjects as (
    select * from {{ ref('erasure_subjects') }}
),

matches as (
    select distinct
        identifier_type,
        identifier,
        n_customers
    from {{ ref('privacy_request_matches') }}
),

requested_identifiers as (
    select
        named.named_by_id as request_id,
        named.identifier_type,
        named.identifier_as_given,
        named.identifier,
        named.widest_mailbox,
        coalesce(matches.n_customers, 0) as n_customers,
        subjects.verdict,
        subjects.is_held
    from {{ ref('privacy_request_identifiers') }} as named
    inner join subjects on named.named_by_id = subjects.request_id
    left join matches on named.identifier_type = matches.identifier_type and named.person_identifier = matches.identifier
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

usable_identifiers as (
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
    from usable_identifiers
    where identifier_type = 'shop_customer_id'
),

{% if is_incremental() -%}
returning_customers as (
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
consistent_subjects as (
    select subjects.*
    from subjects
    left join {{ ref('requests_naming_erased_others') }} as naming_others on subjects.request_id = naming_others.request_id
    where subjects.verdict <> 'contradicts itself' and naming_others.request_id is null
),

erased_customers as (
    select
        request_id,
        customer_id
    from consistent_subjects
    where verdict = 'one person'
    {%- if is_incremental() %}
    union distinct
    select
        request_id,
        customer_id
    from returning_customers
    {%- endif %}
),

request_times as (
    select
        request_id,
        min(received_at) as received_at
    from {{ ref('request_ledger') }}
    group by request_id
    {%- if is_incremental() %}
    union all
    -- Requests that the desk deleted before request_ledger existed.
    select
        request_id,
        min(recorded_at) as received_at
    from {{ this }}
    where request_id not in (select request_id from {{ ref('request_ledger') }})
    group by request_id
    {%- endif %}
),

affected_records as (
    select
        erased_customers.request_id,
        records.record_key,
        records.customer_id,
        records.first_seen_at,
        coalesce(request_times.received_at, {{ as_of() }}) as received_at
    from erased_customers
    inner join records on erased_customers.customer_id = records.customer_id
    left join request_times on erased_customers.request_id = request_times.request_id
    left join held_customers on erased_customers.customer_id = held_customers.customer_id
    where held_customers.customer_id is null
),

affected_records_by_return as (
    {{ records_come_back('affected_records') }}
),

-- A record that is theirs again loses its past only: see known_records.
records_to_erase as (
    select
        request_id,
        record_key,
        customer_id
    from affected_records_by_return
    where not coalesce(is_back and first_seen_at > received_at, false)
),

usable_identifiers_to_erase as (
    select
        records_to_erase.request_id,
        usable_identifiers.*
    from usable_identifiers
    inner join records_to_erase on usable_identifiers.record_key = records_to_erase.record_key
),

contacts_to_erase as (
    select
        records_to_erase.request_id,
        records_to_erase.customer_id,
        identity_records.email,
        case when identity_records.email is not null then identity_records.widest_mailbox end as widest_mailbox,
        identity_records.phone,
        identity_records.phone_as_given
    from identity_records
    inner join records_to_erase on identity_records.record_key = records_to_erase.record_key
),

-- An address of one customer alone shows which devices that customer logged in on.
own_addresses as (
    select identity_records.email
    from identity_records
    inner join records on identity_records.record_key = records.record_key
    where identity_records.email in (select email from contacts_to_erase)
    group by identity_records.email
    having count(distinct records.customer_id) = 1
),

logins as (
    select
        contacts_to_erase.request_id,
        'email' as identifier_type,
        own_addresses.email as identifier
    from contacts_to_erase
    inner join own_addresses on contacts_to_erase.email = own_addresses.email
    union distinct
    select
        request_id,
        identifier_type,
        identifier
    from usable_identifiers_to_erase
    where identifier_type = 'shop_customer_id'
),

-- Identifiers that may still lead to the person later: they lead to no customer yet, or to one under a legal hold, who is
-- not looked up before it ends. A request that contradicts itself leaves no hash.
open_identifiers as (
    select requested_identifiers.*
    from requested_identifiers
    inner join consistent_subjects on requested_identifiers.request_id = consistent_subjects.request_id
),

mailboxes as (
    select
        open_identifiers.request_id,
        open_identifiers.identifier as mailbox
    from open_identifiers
    left join known_requests on open_identifiers.request_id = known_requests.request_id
    where
        open_identifiers.identifier_type = 'email'
        and (open_identifiers.n_customers = 0 or (open_identifiers.verdict = 'one person' and open_identifiers.is_held))
        and known_requests.request_id is null
),

identifiers as (
    select
        records_to_erase.request_id,
        record_identifiers.identifier_type,
        record_identifiers.identifier
    from record_identifiers
    inner join records_to_erase on record_identifiers.record_key = records_to_erase.record_key
    union all
    select
        marks.request_id,
        {{ name_mark_type('marks.identifier_type') }} as identifier_type,
        marks.identifier || '|' || marks.mark as identifier
    from (
        {{ name_marks("(select * from usable_identifiers_to_erase where identifier_type <> 'shop_customer_id')", ['request_id'], 'erased') }}
    ) as marks
    union all
    select
        request_id,
        'mailbox' as identifier_type,
        identifier || '|no name' as identifier
    from usable_identifiers_to_erase
    where identifier_type = 'email'
    union all
    select
        request_id,
        'mailbox' as identifier_type,
        identifier || '|any name' as identifier
    from usable_identifiers_to_erase
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
    from contacts_to_erase
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
    from open_identifiers
    where not is_held and (identifier_type = 'email' or (identifier_type = 'phone' and (n_customers = 0 or verdict <> 'names no customer')))
    union all
    select
        request_id,
        'widest mailbox' as identifier_type,
        widest_mailbox as identifier
    from open_identifiers
    where not is_held and widest_mailbox is not null
    union all
    select
        request_id,
        'record' as identifier_type,
        'shop_customer:' || identifier as identifier
    from open_identifiers
    where identifier_type = 'shop_customer_id' and n_customers <= 1
    union all
    -- Keeps the outcome and its time in erasure_requests for good.
    select distinct
        request_id,
        'carried out' as identifier_type,
        'carried out' as identifier
    from records_to_erase
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

hashed_identifiers as (
    select distinct
        identifiers.request_id,
        identifiers.identifier_type,
        {{ identifier_hash('identifiers.identifier_type', 'identifiers.identifier') }} as identifier_hash,
        {{ dbt.hash('salt.salt') }} as salt_id
    from identifiers
    cross join salt
)

select
    hashed_identifiers.request_id,
    hashed_identifiers.identifier_type,
    hashed_identifiers.identifier_hash,
    hashed_identifiers.salt_id,
    {{ as_of() }} as recorded_at
from hashed_identifiers
{% if is_incremental() -%}
left join {{ this }} as known
    on hashed_identifiers.request_id = known.request_id and hashed_identifiers.identifier_hash = known.identifier_hash
where known.request_id is null
{%- endif %}
