select
    customer_id,
    category as subject_id,
    category as subject_name,
    cast(due_on as timestamp) as happened_at,
    reason
from {{ ref('replenishment_scores') }}
where is_due and cast(due_on as timestamp) > {{ trigger_since() }} and cast(due_on as timestamp) <= {{ as_of() }}
