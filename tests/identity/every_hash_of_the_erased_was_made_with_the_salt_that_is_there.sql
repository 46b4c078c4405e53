-- Every hash in the ledger was made with the current salt. With another salt it matches no record.
select
    ledger.request_id,
    ledger.salt_id
from {{ ref('erasure_ledger') }} as ledger
left join {{ ref('erasure_salt') }} as salt on ledger.salt_id = {{ dbt.hash('salt.salt') }}
where salt.salt is null
