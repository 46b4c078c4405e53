-- The outcome of each erasure request. One that was carried out stays erased, even if the privacy desk deletes or edits it, or
-- the person leaves every source. One that is refused afterwards keeps erased_at.
with requests as (
    select * from {{ ref('privacy_requests') }} where request_type = 'erasure'
),

subjects as (
    select * from {{ ref('erasure_subjects') }}
),

account_counts as (
    select
        named_by_id as request_id,
        count(distinct identifier) as n_accounts
    from {{ ref('privacy_request_identifiers') }}
    where named_by = 'erasure request' and identifier_type = 'shop_customer_id'
    group by named_by_id
),

first_receipts as (
    select
        request_id,
        min(received_at) as received_at,
        min(recorded_at) as recorded_at
    from {{ ref('request_ledger') }}
    group by request_id
),

ledger as (
    select
        request_id,
        min(recorded_at) as recorded_at,
        min(case when identifier_type = 'carried out' then recorded_at end) as carried_out_at,
        count(case when identifier_type = 'record' then 1 end) as n_records
    from {{ ref('erasure_ledger') }}
    group by request_id
),

-- Older ledgers have no row for a completed request: more records than named accounts show it.
completed_requests as (
    select
        ledger.request_id,
        case
            when ledger.carried_out_at is not null then ledger.carried_out_at
            when
                coalesce(ledger.recorded_at < first_receipts.recorded_at, true)
                and ledger.n_records > coalesce(account_counts.n_accounts, 0)
                then ledger.recorded_at
        end as erased_at
    from ledger
    left join first_receipts on ledger.request_id = first_receipts.request_id
    left join account_counts on ledger.request_id = account_counts.request_id
)

select
    coalesce(requests.request_id, completed_requests.request_id) as request_id,
    case
        when requests.request_status = 'refused' then 'refused'
        when completed_requests.erased_at is not null then 'erased'
        when requests.request_id is null then 'not carried out yet'
        when requests.may_be_refused or coalesce(requests.email, requests.phone, requests.shop_customer_id) is null then 'not readable'
        when subjects.is_held then 'held'
        when subjects.verdict = 'names no customer' then 'names no customer'
        -- It names one person, but all their records are newer than the request.
        when subjects.verdict = 'one person' and completed_requests.request_id is not null then 'names no customer'
        else 'names more than one person'
    end as outcome,
    coalesce(requests.received_at, first_receipts.received_at) as received_at,
    completed_requests.erased_at,
    coalesce(subjects.is_held, false) as is_held
from requests
full outer join completed_requests on requests.request_id = completed_requests.request_id
left join subjects on requests.request_id = subjects.request_id
left join first_receipts on coalesce(requests.request_id, completed_requests.request_id) = first_receipts.request_id
