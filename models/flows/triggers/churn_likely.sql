-- Before silence: the score says that the customer will not come back, and the stage is still active.
select
    scores.customer_id,
    scores.customer_id as subject_id,
    cast(null as {{ dbt.type_string() }}) as subject_name,
    cast({{ as_of_day() }} as timestamp) as happened_at,
    cast(null as decimal(18, 2)) as amount,
    scores.reason
from {{ ref('churn_scores') }} as scores
inner join {{ ref('lifecycle_stages') }} as stages on scores.customer_id = stages.customer_id
where scores.band = 'high' and stages.stage in ('first_time_buyer', 'second_order_window', 'active')
