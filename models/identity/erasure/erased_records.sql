-- The ledger has every record of an erased person, for it is filled before this in each build.
with records as (
    select
        record_key,
        record_type,
        record_id,
        customer_id
    from {{ ref('record_clusters') }}
    union all
    select distinct
        'web_visitor:' || visitor_id as record_key,
        'web_visitor' as record_type,
        visitor_id as record_id,
        cast(null as {{ dbt.type_string() }}) as customer_id
    from {{ ref('stg_web__sessions') }}
    {%- if var('keep_anonymous_visitors') %}
    union distinct
    select
        'web_visitor:' || visitor_id as record_key,
        'web_visitor' as record_type,
        visitor_id as record_id,
        cast(null as {{ dbt.type_string() }}) as customer_id
    from {{ ref('stg_shop__orders') }}
    where visitor_id is not null
    {%- endif %}
),

hashed as (
    select
        records.*,
        {{ identifier_hash("'record'", 'records.record_key') }} as identifier_hash
    from records
    cross join {{ ref('erasure_salt') }} as salt
),

-- Looking back to a day when a hold held does not bring back whom its end let go.
ledger as (
    select max(recorded_at) as last_recorded_at from {{ ref('erasure_ledger') }}
),

held as (
    select distinct holds.customer_id
    from {{ ref('held_customers') }} as holds
    cross join ledger
    where holds.held_until is null or ledger.last_recorded_at is null or holds.held_until > ledger.last_recorded_at
)

select
    hashed.record_key,
    hashed.record_type,
    hashed.record_id
from hashed
inner join {{ ref('erased_identifiers') }} as erased_identifiers
    on hashed.identifier_hash = erased_identifiers.identifier_hash
left join held on hashed.customer_id = held.customer_id
where held.customer_id is null
