-- What became of each erasure request; one that the privacy desk forgot, too.
with requests as (
    select * from {{ ref('stg_privacy__requests') }} where request_type = 'erasure'
),

held as (
    select distinct customer_id from {{ ref('held_customers') }}
),

leads as (
    select
        named.named_by_id as request_id,
        max(named.n_customers) as n_customers,
        count(held.customer_id) as n_held,
        count(case when named.n_customers = 1 then 1 end) as n_told_apart,
        count(distinct case when named.identifier_type = 'shop_customer_id' then named.identifier end) as n_accounts
    from {{ ref('named_customers') }} as named
    left join held on named.customer_id = held.customer_id
    where named.named_by = 'erasure request'
    group by named.named_by_id
),

ledger as (
    select
        request_id,
        min(recorded_at) as recorded_at,
        count(case when identifier_type = 'record' then 1 end) as n_records
    from {{ ref('erasure_ledger') }}
    group by request_id
),

judged as (
    select
        coalesce(requests.request_id, ledger.request_id) as request_id,
        requests.received_at,
        ledger.recorded_at,
        case
            when requests.request_status = 'refused' then 'refused'
            when leads.n_held > 0 then 'held'
            when leads.n_told_apart > 0 then 'erased'
            when leads.n_customers > 0 then 'names more than one person'
            when ledger.n_records <= leads.n_accounts then 'names nobody'
            else 'erased'
        end as outcome
    from requests
    full outer join ledger on requests.request_id = ledger.request_id
    left join leads on requests.request_id = leads.request_id
)

select
    request_id,
    outcome,
    received_at,
    case when outcome = 'erased' then recorded_at end as erased_at
from judged
