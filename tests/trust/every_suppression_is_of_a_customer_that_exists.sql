-- A suppression also has a reason, has begun, and ends after its start.
select suppressions.*
from {{ ref('suppressions') }} as suppressions
left join {{ ref('customers') }} as customers on suppressions.customer_id = customers.customer_id
where
    customers.customer_id is null
    or suppressions.reason is null
    or suppressions.since > {{ as_of() }}
    or suppressions.until <= suppressions.since
