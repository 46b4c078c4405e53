select
    customer_id,
    reason
from {{ ref('next_order_scores') }}
where is_due_soon
