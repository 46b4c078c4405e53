-- The training sample with today's features and scores, to measure drift since the day of training.
with features as (
    select * from {{ ref('customer_features') }} where is_scoring and is_sampled
),

churn as (
    select
        customer_id,
        order_probability
    from {{ ref('churn_predictions') }}
),

value_predictions as (
    select
        customer_id,
        year_revenue
    from {{ ref('value_predictions') }}
),

first_orders as (
    select
        customer_id,
        order_probability
    from {{ ref('first_order_predictions') }}
)

select
    features.*,
    coalesce(churn.order_probability, first_orders.order_probability) as order_probability,
    value_predictions.year_revenue
from features
left join churn on features.customer_id = churn.customer_id
left join value_predictions on features.customer_id = value_predictions.customer_id
left join first_orders on features.customer_id = first_orders.customer_id
