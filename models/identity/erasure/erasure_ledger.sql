-- Whom we must not know again, as salted hashes. Only ever added to: a request that the privacy desk's table forgets
-- holds on, and whoever an erased person's identifier leads to is that person come back.
{{ config(materialized='incremental', incremental_strategy='append', full_refresh=false) }}
-- depends_on: {{ ref('stg_privacy__requests') }}

with held as (
    select distinct customer_id from {{ ref('held_customers') }}
),

requested as (
    select
        named.*,
        held.customer_id is not null as is_held
    from {{ ref('named_customers') }} as named
    left join held on named.customer_id = held.customer_id
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

-- What may join records joins them to an erased person too, with the same caution (see person_identifiers): of a
-- cluster that was too large only what still counted there.
joining as (
    select
        records.customer_id,
        identifiers.identifier_type,
        identifiers.identifier,
        identifiers.joins_by,
        substr(identifiers.given_name, 1, 3) as name_start
    from {{ ref('person_identifiers') }} as identifiers
    inner join records on identifiers.record_key = records.record_key
    where
        identifiers.why_not is null
        and records.cluster_state <> 'quarantined'
        and not (records.cluster_state = 'broken' and identifiers.identifier_type = 'phone')
),

record_identifiers as (
    select
        customer_id,
        'record' as identifier_type,
        record_key as identifier
    from records
    union all
    select
        customer_id,
        'record' as identifier_type,
        'shop_customer:' || identifier as identifier
    from joining
    where identifier_type = 'shop_customer_id'
    union all
    select
        customer_id,
        'phone and name' as identifier_type,
        joins_by as identifier
    from joining
    where identifier_type = 'phone'
),

{% if is_incremental() -%}
-- A mailbox leads back where the names agree, or either has none.
keys as (
    select
        customer_id,
        identifier_type,
        identifier
    from record_identifiers
    union all
    select
        customer_id,
        'mailbox' as identifier_type,
        identifier || '|' || coalesce(name_start, 'no name') as identifier
    from joining
    where identifier_type = 'email'
    union all
    select
        customer_id,
        'mailbox' as identifier_type,
        identifier || '|any name' as identifier
    from joining
    where identifier_type = 'email' and name_start is not null
),

hashed_keys as (
    select
        keys.customer_id,
        {{ identifier_hash('keys.identifier_type', 'keys.identifier') }} as identifier_hash
    from keys
    cross join salt
),

refused as (
    select request_id from {{ ref('stg_privacy__requests') }} where request_status = 'refused'
),

come_back as (
    select distinct
        known.request_id,
        hashed_keys.customer_id
    from hashed_keys
    inner join {{ this }} as known on hashed_keys.identifier_hash = known.identifier_hash
    left join refused on known.request_id = refused.request_id
    where refused.request_id is null
),

{% endif -%}
-- Who shares what the request names with others is not told apart from them by it.
erased as (
    select
        named_by_id as request_id,
        customer_id
    from requested
    where n_customers = 1
    {%- if is_incremental() %}
    union distinct
    select
        request_id,
        customer_id
    from come_back
    {%- endif %}
),

erased_now as (
    select distinct
        erased.request_id,
        erased.customer_id
    from erased
    left join held on erased.customer_id = held.customer_id
    where held.customer_id is null
),

erased_joining as (
    select
        erased_now.request_id,
        joining.*
    from joining
    inner join erased_now on joining.customer_id = erased_now.customer_id
),

erased_contacts as (
    select
        erased_now.request_id,
        erased_now.customer_id,
        identity_records.email,
        identity_records.phone,
        identity_records.phone_as_given
    from identity_records
    inner join records on identity_records.record_key = records.record_key
    inner join erased_now on records.customer_id = erased_now.customer_id
),

-- Whoever logged in on a device with an address that is one customer's alone is that customer.
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

-- Mailboxes of nobody yet, or of somebody under a legal hold, whose names are not looked up before it ends.
mailboxes as (
    select
        requested.named_by_id as request_id,
        requested.identifier as mailbox
    from requested
    where
        requested.identifier_type = 'email'
        and (requested.n_customers = 0 or (requested.n_customers = 1 and requested.is_held))
        {%- if is_incremental() %}
        and requested.named_by_id not in (select request_id from {{ this }})
        {%- endif %}
),

identifiers as (
    select
        erased_now.request_id,
        record_identifiers.identifier_type,
        record_identifiers.identifier
    from record_identifiers
    inner join erased_now on record_identifiers.customer_id = erased_now.customer_id
    union all
    select
        request_id,
        'mailbox' as identifier_type,
        identifier || '|' || name_start as identifier
    from erased_joining
    where identifier_type = 'email' and name_start is not null
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
    having count(name_start) = 0
    {% for column in ['email', 'phone', 'phone_as_given'] -%}
    union all
    select
        request_id,
        '{{ column.split('_')[0] }}' as identifier_type,
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
    -- What the request itself names, for whoever is known by it later: nobody may be yet, or a legal hold may end.
    select
        named_by_id as request_id,
        identifier_type,
        identifier_as_given as identifier
    from requested
    where identifier_type in ('email', 'phone') and not is_held
    union all
    select
        named_by_id as request_id,
        'record' as identifier_type,
        'shop_customer:' || identifier as identifier
    from requested
    where identifier_type = 'shop_customer_id' and n_customers <= 1
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
