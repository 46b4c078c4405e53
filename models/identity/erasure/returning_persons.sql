-- Customers who are an erased person come back, by what the ledger held before this build. A table of its own: the ledger asks it
-- several times.
-- depends_on: {{ ref('given_names') }}
-- depends_on: {{ ref('person_names') }}
-- depends_on: {{ ref('joining_identifiers') }}
-- depends_on: {{ ref('erasure_salt') }}
-- depends_on: {{ ref('privacy_requests') }}
{% set ledger = load_cached_relation(this.incorporate(path={'identifier': 'erasure_ledger'})) %}
{% if ledger -%}
with joining as (
    select * from {{ ref('joining_identifiers') }}
),

salt as (
    select salt from {{ ref('erasure_salt') }}
),

-- Addresses and numbers that the ledger knows: only there are names looked up.
known_identifiers as (
    select joining.*
    from joining
    cross join salt
    inner join (select distinct identifier_hash from {{ ledger }}) as known
        on
            case joining.identifier_type
                when 'email' then {{ mailbox_hash('joining.identifier') }}
                else {{ identifier_hash("'phone'", 'joining.identifier') }}
            end = known.identifier_hash
    where joining.identifier_type <> 'shop_customer_id'
),

-- A mailbox leads back where the names agree, or either has none; a number where the names agree.
keys as (
    select
        customer_id,
        'record' as identifier_type,
        record_key as identifier
    from {{ ref('record_clusters') }}
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
        'mailbox' as identifier_type,
        identifier || case when has_given_name then '|any name' else '|no name' end as identifier
    from known_identifiers
    where identifier_type = 'email'
    union all
    select
        marks.customer_id,
        {{ name_mark_type('marks.identifier_type') }} as identifier_type,
        marks.identifier || '|' || marks.mark as identifier
    from (
        {{ name_marks('known_identifiers', ['customer_id'], 'back') }}
    ) as marks
),

hashed_keys as (
    select
        keys.customer_id,
        {{ identifier_hash('keys.identifier_type', 'keys.identifier') }} as identifier_hash
    from keys
    cross join salt
),

refused as (
    select request_id
    from {{ ref('privacy_requests') }}
    where request_type = 'erasure' and request_status = 'refused'
)

select distinct
    known.request_id,
    hashed_keys.customer_id
from hashed_keys
inner join {{ ledger }} as known on hashed_keys.identifier_hash = known.identifier_hash
left join refused on known.request_id = refused.request_id
where refused.request_id is null
{%- else -%}
select
    cast(null as {{ dbt.type_string() }}) as request_id,
    customer_id
from {{ ref('record_clusters') }}
where 1 = 0
{%- endif %}
