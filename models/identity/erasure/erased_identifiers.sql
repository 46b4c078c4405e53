-- A request that was refused after all erases nobody.
select
    ledger.identifier_type,
    ledger.identifier_hash,
    min(ledger.recorded_at) as recorded_at
from {{ ref('erasure_ledger') }} as ledger
left join {{ ref('stg_privacy__requests') }} as refused
    on ledger.request_id = refused.request_id and refused.request_status = 'refused'
where refused.request_id is null
group by ledger.identifier_type, ledger.identifier_hash
