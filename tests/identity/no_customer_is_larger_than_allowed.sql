-- No customer has more records than var identity_max_records_per_customer.
select
    customer_id,
    count(*) as n_records
from {{ ref('record_customers') }}
group by customer_id
having count(*) > {{ var('identity_max_records_per_customer') }}
