-- A score and a stage count the same days since the last order, whatever the time of day.
select
    scored.customer_id,
    scored.days_since_last_order,
    stages.days_since_last_order as days_of_stage
from {{ ref('customers_to_score') }} as scored
inner join {{ ref('lifecycle_stages') }} as stages on scored.customer_id = stages.customer_id
where stages.days_since_last_order is distinct from scored.days_since_last_order
