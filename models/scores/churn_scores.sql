{% set days = var('churn_days') %}
with customers as (
    select * from {{ ref('customers') }} where n_orders > 0
),

predictions as (
    select * from {{ ref('churn_predictions') }}
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
        1 - predictions.order_probability as churn_probability,
        -- A cancellation is a stated intent, so it outranks the model.
        {{ subscription_ended_at('customers.') }} as cancelled_at,
        predictions.order_probability,
        predictions.method,
        predictions.model_version,
        models.is_level_verified,
        features.days_since_last_order,
        {{ score_fact('predictions.reason_1', 'features') }} as first_fact,
        {{ score_fact('predictions.reason_2', 'features') }} as second_fact
    from customers
    left join predictions on customers.customer_id = predictions.customer_id
    left join features on predictions.customer_id = features.customer_id
    left join models on predictions.model_name = models.model_name
)

select
    customer_id,
    case when churn_probability is null then 'refused_profiling' else 'scored' end as state,
    churn_probability as churn_probability_{{ days }}d,
    {{ band_of("case when cancelled_at is not null then greatest(churn_probability, " ~ var('churn_bands').high ~ ") else churn_probability end", var('churn_bands'), 'low') }} as band,
    coalesce('Cancelled a subscription on ' || {{ day_text('cancelled_at') }} || '. ', '') || case
        when method = 'rule'
            then
                'Last ordered ' || {{ counted('days_since_last_order', 'day') }} || ' ago: '
                || {{ tenths_text('order_probability') }} || ' of such customers order again within {{ days }} days.'
        else {{ score_sentence('first_fact', 'second_fact') }}
    end as reason,
    method as model_used,
    model_version,
    is_level_verified,
    {{ score_confidence('method', 'is_level_verified', 'n_order_days') }} as confidence,
    {{ as_of() }} as scored_at
from customer_predictions
