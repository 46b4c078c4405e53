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
    from {{ ref('legal_hold_customers') }} as holds
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

judged as (
    {{ records_come_back('known') }}
),

-- Since when a record of before is theirs again.
first_acts as (
    select
        known.record_key,
        min(acts.acted_at) as acted_at
    from known
    inner join {{ ref('own_acts') }} as acts on known.record_key = acts.record_key
    where acts.acted_at > known.received_at
    group by known.record_key
)

select
    judged.record_key,
    judged.record_type,
    judged.record_id,
    judged.customer_id,
    judged.received_at as erased_until,
    judged.is_back,
    case
        when not judged.is_back then null
        when judged.first_seen_at > judged.received_at then judged.first_seen_at
        else first_acts.acted_at
    end as back_since
from judged
left join first_acts on judged.record_key = first_acts.record_key
