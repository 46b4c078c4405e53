-- Customers who are an erased person come back, according to the ledger before this build. A table of its own, because the
-- ledger reads it several times.
-- depends_on: {{ ref('given_names') }}
-- depends_on: {{ ref('person_names') }}
-- depends_on: {{ ref('joining_identifiers') }}
-- depends_on: {{ ref('erasure_salt') }}
-- depends_on: {{ ref('privacy_requests') }}
{% set ledger = load_cached_relation(this.incorporate(path={'identifier': 'erasure_ledger'})) %}
{% if ledger -%}
with usable_identifiers as (
    select * from {{ ref('joining_identifiers') }}
),

salt as (
    select salt from {{ ref('erasure_salt') }}
),

-- Names are compared only on addresses and numbers that the ledger holds.
known_identifiers as (
    select usable_identifiers.*
    from usable_identifiers
    cross join salt
    inner join (select distinct identifier_hash from {{ ledger }}) as ledger
        on
            case usable_identifiers.identifier_type
                when 'email' then {{ mailbox_hash('usable_identifiers.identifier') }}
                else {{ identifier_hash("'phone'", 'usable_identifiers.identifier') }}
            end = ledger.identifier_hash
    where usable_identifiers.identifier_type <> 'shop_customer_id'
),

-- A mailbox matches if the names agree or one is missing, a number only if the names agree.
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
    from usable_identifiers
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

refused_requests as (
    select request_id
    from {{ ref('privacy_requests') }}
    where request_type = 'erasure' and request_status = 'refused'
)

select distinct
    ledger.request_id,
    hashed_keys.customer_id
from hashed_keys
inner join {{ ledger }} as ledger on hashed_keys.identifier_hash = ledger.identifier_hash
left join refused_requests on ledger.request_id = refused_requests.request_id
where refused_requests.request_id is null
{%- else -%}
select
    cast(null as {{ dbt.type_string() }}) as request_id,
    customer_id
from {{ ref('record_clusters') }}
where 1 = 0
{%- endif %}
