-- Inputs of the scores: each customer who has bought, with the predictions for their order history.
with features as (
    select *
    from {{ ref('customer_features') }}
    where is_scoring and n_order_days > 0
),

purchases as (
    select * from {{ ref('purchase_predictions') }}
)

select
    features.*,
    {% for days in [var('churn_days'), 365] | unique -%}
    purchases.order_probability_{{ days }}d,
    purchases.expected_orders_{{ days }}d,
    {% endfor -%}
    purchases.alive_probability,
    purchases.next_order_days_low,
    purchases.next_order_days_median,
    purchases.next_order_days_high
from features
inner join purchases
    on
        features.frequency = purchases.frequency
        and features.recency_days = purchases.recency_days
        and features.age_days = purchases.age_days
