-- Every hash of the erased was made with the salt that is there: with another one the ledger knows nobody.
select
    ledger.request_id,
    ledger.salt_id
from {{ ref('erasure_ledger') }} as ledger
left join {{ ref('erasure_salt') }} as salt on ledger.salt_id = {{ dbt.hash('salt.salt') }}
where salt.salt is null
