-- The reason is of the refill that profile_fields carries.
select
    customer_id,
    reason
from {{ ref('replenishment_scores') }}
where is_due and refill_rank = 1
