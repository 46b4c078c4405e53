-- Every record that the ledger lists as an erased person's: still erased, or theirs again because they have acted since. Each
-- build fills the ledger first.
with clusters as (
    select * from {{ ref('record_clusters') }}
),

visitor_ids as (
    select distinct visitor_id from {{ ref('stg_web__sessions') }}
    {%- if var('keep_anonymous_visitors') %}
    union distinct
    select visitor_id from {{ ref('stg_shop__orders') }} where visitor_id is not null
    {%- endif %}
),

visitors as (
    select
        'web_visitor:' || visitor_id as record_key,
        'web_visitor' as record_type,
        visitor_id as record_id
    from visitor_ids
),

records as (
    {{ union_by_name(
        {'clusters': [], 'visitors': ['customer_id', 'first_seen_at']},
        columns=['record_key', 'record_type', 'record_id', 'customer_id', 'first_seen_at'],
        types={'first_seen_at': 'timestamp'}
    ) }}
),

hashed_records as (
    select
        records.*,
        {{ identifier_hash("'record'", 'records.record_key') }} as identifier_hash
    from records
    cross join {{ ref('erasure_salt') }} as salt
),

-- A build as of a day under a hold does not bring back persons erased after the hold ended.
last_entry as (
    select max(recorded_at) as last_recorded_at from {{ ref('erasure_ledger') }}
),

held_customers as (
    select distinct holds.customer_id
    from {{ ref('legal_hold_customers') }} as holds
    cross join last_entry
    where holds.held_until is null or last_entry.last_recorded_at is null or holds.held_until > last_entry.last_recorded_at
),

ledger_records as (
    select
        hashed_records.record_key,
        hashed_records.record_type,
        hashed_records.record_id,
        hashed_records.customer_id,
        hashed_records.first_seen_at,
        erased_identifiers.received_at
    from hashed_records
    inner join {{ ref('erased_identifiers') }} as erased_identifiers
        on hashed_records.identifier_hash = erased_identifiers.identifier_hash
    left join held_customers on hashed_records.customer_id = held_customers.customer_id
    where held_customers.customer_id is null
),

records_by_return as (
    {{ records_come_back('ledger_records') }}
),

-- When a record that is older than the request became theirs again.
first_acts as (
    select
        ledger_records.record_key,
        min(acts.acted_at) as acted_at
    from ledger_records
    inner join {{ ref('own_acts') }} as acts on ledger_records.record_key = acts.record_key
    where acts.acted_at > ledger_records.received_at
    group by ledger_records.record_key
)

select
    records_by_return.record_key,
    records_by_return.record_type,
    records_by_return.record_id,
    records_by_return.customer_id,
    records_by_return.received_at as erased_until,
    records_by_return.is_back,
    case
        when not records_by_return.is_back then null
        when records_by_return.first_seen_at > records_by_return.received_at then records_by_return.first_seen_at
        else first_acts.acted_at
    end as back_since
from records_by_return
left join first_acts on records_by_return.record_key = first_acts.record_key
