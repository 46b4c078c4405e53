-- The reason names the same refill as profile_fields.
select
    customer_id,
    reason
from {{ ref('replenishment_scores') }}
where is_due and refill_rank = 1
