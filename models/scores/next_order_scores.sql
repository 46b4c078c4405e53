{% set soon_from, soon_until = var('due_soon_days') %}
with customers as (
    select * from {{ ref('customers') }} where n_orders > 0
),

predictions as (
    select * from {{ ref('next_order_predictions') }}
),

features as (
    select * from {{ ref('customers_to_score') }}
),

models as (
    select * from {{ ref('trained_models') }}
),

customer_predictions as (
    select
        customers.customer_id,
        features.n_order_days,
        features.order_probability_365d,
        {{ days_after('features.counted_on', 'cast(floor(predictions.days_median) as bigint)') }} as expected_on,
        {{ days_after('features.counted_on', 'cast(floor(predictions.days_low) as bigint)') }} as earliest_on,
        {{ days_after('features.counted_on', 'cast(floor(predictions.days_high) as bigint)') }} as latest_on,
        {{ days_after('features.counted_on', 'cast(floor(customers.usual_days_between_orders + 0.5) as bigint) - features.days_since_last_order') }} as due_on,
        predictions.method,
        predictions.model_version,
        models.is_level_verified,
        {{ score_fact("'rhythm'", 'features') }} as fact
    from customers
    left join predictions on customers.customer_id = predictions.customer_id
    left join features on predictions.customer_id = features.customer_id
    left join models on predictions.model_name = models.model_name
)

select
    customer_id,
    case when expected_on is null then 'refused_profiling' else 'scored' end as state,
    expected_on,
    earliest_on,
    latest_on,
    order_probability_365d,
    due_on,
    coalesce({{ date_diff(as_of_day(), 'due_on', 'day') }} between {{ soon_from }} and {{ soon_until }}, false) as is_due_soon,
    {{ score_sentence('fact', 'null') }} as reason,
    method as model_used,
    model_version,
    {{ score_confidence('method', 'is_level_verified', 'n_order_days') }} as confidence,
    {{ as_of() }} as scored_at
from customer_predictions
