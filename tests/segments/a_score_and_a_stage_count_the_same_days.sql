-- A score and a stage count the same days since the last order, at any time of day.
select
    scores.customer_id,
    scores.days_since_last_order,
    stages.days_since_last_order as days_of_stage
from {{ ref('customers_to_score') }} as scores
inner join {{ ref('lifecycle_stages') }} as stages on scores.customer_id = stages.customer_id
where stages.days_since_last_order is distinct from scores.days_since_last_order
