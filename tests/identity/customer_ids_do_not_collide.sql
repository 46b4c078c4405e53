-- No two records mint the same customer_id.
select
    {{ mint_customer_id('record_key') }} as customer_id,
    count(distinct record_key) as n_records
from {{ ref('customer_keys') }}
group by {{ mint_customer_id('record_key') }}
having count(distinct record_key) > 1
