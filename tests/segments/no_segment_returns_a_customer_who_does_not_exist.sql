-- No segment returns a customer who does not exist.
select
    candidates.segment,
    candidates.customer_id
from {{ ref('segment_candidates') }} as candidates
left join {{ ref('customers') }} as customers on candidates.customer_id = customers.customer_id
where customers.customer_id is null
