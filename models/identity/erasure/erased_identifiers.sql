-- A request that was refused after all erases nothing.
with refused as (
    select request_id
    from {{ ref('privacy_requests') }}
    where request_type = 'erasure' and request_status = 'refused'
),

requests as (
    {{ request_moments(ref('erasure_ledger')) }}
)

select
    ledger.identifier_type,
    ledger.identifier_hash,
    min(ledger.recorded_at) as recorded_at,
    max(requests.received_at) as received_at
from {{ ref('erasure_ledger') }} as ledger
inner join requests on ledger.request_id = requests.request_id
left join refused on ledger.request_id = refused.request_id
where refused.request_id is null and ledger.identifier_type <> 'carried out'
group by ledger.identifier_type, ledger.identifier_hash
