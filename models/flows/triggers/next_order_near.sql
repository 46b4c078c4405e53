select
    customer_id,
    customer_id as subject_id,
    cast(null as {{ dbt.type_string() }}) as subject_name,
    cast({{ days_before('due_on', var('due_soon_days')[1]) }} as timestamp) as happened_at,
    cast(null as decimal(18, 2)) as amount,
    reason
from {{ ref('next_order_scores') }}
where is_due_soon
