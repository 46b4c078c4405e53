-- A request that is refused later erases nothing.
with refused_requests as (
    select request_id
    from {{ ref('privacy_requests') }}
    where request_type = 'erasure' and request_status = 'refused'
),

request_times as (
    {{ request_moments(ref('erasure_ledger')) }}
)

select
    ledger.identifier_type,
    ledger.identifier_hash,
    min(ledger.recorded_at) as recorded_at,
    max(request_times.received_at) as received_at
from {{ ref('erasure_ledger') }} as ledger
inner join request_times on ledger.request_id = request_times.request_id
left join refused_requests on ledger.request_id = refused_requests.request_id
where refused_requests.request_id is null and ledger.identifier_type <> 'carried out'
group by ledger.identifier_type, ledger.identifier_hash
