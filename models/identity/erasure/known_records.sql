-- Every record that the ledger has as an erased person's, for it is filled before this in each build: gone, or theirs again
-- by what they did since.
with records as (
    select
        record_key,
        record_type,
        record_id,
        customer_id,
        first_seen_at
    from {{ ref('record_clusters') }}
    union all
    select distinct
        'web_visitor:' || visitor_id as record_key,
        'web_visitor' as record_type,
        visitor_id as record_id,
        cast(null as {{ dbt.type_string() }}) as customer_id,
        cast(null as timestamp) as first_seen_at
    from {{ ref('stg_web__sessions') }}
    {%- if var('keep_anonymous_visitors') %}
    union distinct
    select
        'web_visitor:' || visitor_id as record_key,
        'web_visitor' as record_type,
        visitor_id as record_id,
        cast(null as {{ dbt.type_string() }}) as customer_id,
        cast(null as timestamp) as first_seen_at
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
),

known as (
    select
        hashed.record_key,
        hashed.record_type,
        hashed.record_id,
        hashed.customer_id,
        hashed.first_seen_at,
        erased_identifiers.received_at
    from hashed
    inner join {{ ref('erased_identifiers') }} as erased_identifiers
        on hashed.identifier_hash = erased_identifiers.identifier_hash
    left join held on hashed.customer_id = held.customer_id
    where held.customer_id is null
),

back as (
    {{ records_come_back('known') }}
)

select
    known.record_key,
    known.record_type,
    known.record_id,
    known.customer_id,
    known.received_at as erased_until,
    coalesce(back.is_back, false) as is_back,
    case
        when not back.is_back then null
        when known.first_seen_at > known.received_at then known.first_seen_at
        else back.first_acted_at
    end as back_since
from known
left join back on known.record_key = back.record_key
