select
    customer_id,
    category as subject_id,
    category as subject_name,
    cast(due_on as timestamp) as happened_at,
    cast(null as decimal(18, 2)) as amount,
    reason
from {{ ref('replenishment_scores') }}
where is_due and cast(due_on as timestamp) > {{ trigger_since() }} and cast(due_on as timestamp) <= {{ as_of() }}
