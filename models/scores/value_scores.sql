{% set days = var('churn_days') %}
with customers as (
    select * from {{ ref('customers') }}
),

features as (
    select * from {{ ref('customer_features') }} where is_scoring
),

models as (
    select * from {{ ref('trained_models') }}
),

predictions as (
    select
        value_predictions.customer_id,
        churn_predictions.order_probability,
        value_predictions.horizon_revenue,
        value_predictions.horizon_revenue_low,
        value_predictions.horizon_revenue_high,
        value_predictions.year_revenue,
        value_predictions.year_revenue_low,
        value_predictions.year_revenue_high,
        value_predictions.method,
        value_predictions.model_name,
        value_predictions.model_version,
        'rhythm' as reason_1,
        'money' as reason_2
    from {{ ref('value_predictions') }} as value_predictions
    inner join {{ ref('churn_predictions') }} as churn_predictions
        on value_predictions.customer_id = churn_predictions.customer_id
    union all
    select
        customer_id,
        order_probability,
        horizon_revenue,
        null as horizon_revenue_low,
        null as horizon_revenue_high,
        year_revenue,
        null as year_revenue_low,
        null as year_revenue_high,
        method,
        model_name,
        model_version,
        reason_1,
        reason_2
    from {{ ref('first_order_predictions') }}
),

customer_predictions as (
    select
        predictions.order_probability,
        predictions.horizon_revenue,
        predictions.horizon_revenue_low,
        predictions.horizon_revenue_high,
        predictions.year_revenue,
        predictions.year_revenue_low,
        predictions.year_revenue_high,
        predictions.method,
        predictions.model_version,
        models.is_level_verified,
        customers.customer_id,
        customers.n_orders,
        features.customer_id is not null as is_known,
        features.n_order_days,
        features.known_days,
        {{ score_fact('predictions.reason_1', 'features') }} as first_fact,
        {{ score_fact('predictions.reason_2', 'features') }} as second_fact,
        -- Share of scored customers with a lower expected revenue. Ties share a rank.
        cast(rank() over (partition by predictions.customer_id is not null order by predictions.year_revenue) - 1 as {{ double_type() }})
        / count(*) over (partition by predictions.customer_id is not null) as rank_share
    from customers
    left join features on customers.customer_id = features.customer_id
    left join predictions on customers.customer_id = predictions.customer_id
    left join models on predictions.model_name = models.model_name
)

select
    customer_id,
    case when method is not null then 'scored' when is_known then 'nothing_to_learn_from' else 'refused_profiling' end as state,
    n_orders > 0 as has_bought,
    order_probability as order_probability_{{ days }}d,
    cast(horizon_revenue as decimal(18, 2)) as expected_revenue_{{ days }}d,
    cast(horizon_revenue_low as decimal(18, 2)) as expected_revenue_{{ days }}d_low,
    cast(horizon_revenue_high as decimal(18, 2)) as expected_revenue_{{ days }}d_high,
    cast(year_revenue as decimal(18, 2)) as expected_revenue_365d,
    cast(year_revenue_low as decimal(18, 2)) as expected_revenue_365d_low,
    cast(year_revenue_high as decimal(18, 2)) as expected_revenue_365d_high,
    case when method is not null then {{ band_of('rank_share', var('value_bands'), 'low') }} end as band,
    case
        when method = 'rule' and n_orders = 0
            then
                'Known for ' || {{ counted('known_days', 'day') }} || ' without an order: '
                || {{ tenths_text('order_probability') }} || ' of such customers buy within {{ days }} days.'
        else {{ score_sentence('first_fact', 'second_fact') }}
    end as reason,
    method as model_used,
    model_version,
    is_level_verified,
    {{ score_confidence('method', 'is_level_verified', 'n_order_days') }} as confidence,
    {{ as_of() }} as scored_at
from customer_predictions
