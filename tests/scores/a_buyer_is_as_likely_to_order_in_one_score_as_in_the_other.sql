-- A buyer's chance of an order in value_scores and chance of none in churn_scores add up to 1.
{% set days = var('churn_days') %}
select value_scores.customer_id
from {{ ref('value_scores') }} as value_scores
left join {{ ref('churn_scores') }} as churn_scores on value_scores.customer_id = churn_scores.customer_id
where
    value_scores.has_bought
    and abs(coalesce(value_scores.order_probability_{{ days }}d + churn_scores.churn_probability_{{ days }}d, 1) - 1) > 0.000001
