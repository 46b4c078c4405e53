-- No score is NaN, a chance outside of 0 and 1, an amount or day outside of its own interval, or a quiet hour.
{% set days = var('churn_days') %}
select
    customer_id,
    'churn' as score
from {{ ref('churn_scores') }}
where state = 'scored' and not coalesce(churn_probability_{{ days }}d between 0 and 1, false)
union all
select
    customer_id,
    'value' as score
from {{ ref('value_scores') }}
where
    state = 'scored'
    and not coalesce(
        order_probability_{{ days }}d between 0 and 1
        and expected_revenue_{{ days }}d between coalesce(expected_revenue_{{ days }}d_low, 0)
        and coalesce(expected_revenue_{{ days }}d_high, expected_revenue_{{ days }}d)
        and expected_revenue_365d between coalesce(expected_revenue_365d_low, 0)
        and coalesce(expected_revenue_365d_high, expected_revenue_365d),
        false
    )
union all
select
    customer_id,
    'next_order' as score
from {{ ref('next_order_scores') }}
where
    state = 'scored'
    and not coalesce(
        expected_on between earliest_on and latest_on
        and earliest_on >= {{ as_of_day() }}
        and order_probability_365d between 0 and 1,
        false
    )
union all
select
    customer_id,
    'send_time' as score
from {{ ref('send_time_scores') }}
where
    state in ('personal', 'no_personal_signal')
    and not coalesce(
        best_hour >= {{ var('send_hours')[0] }} and best_hour < {{ var('send_hours')[1] }}
        and best_business_hour >= {{ var('business_hours')[0] }} and best_business_hour < {{ var('business_hours')[1] }}
        and best_weekday is not null and best_business_day is not null
        and personal_weight between 0 and 1
        and (time_zone is null) = (next_send_at is null)
        and coalesce(next_send_at > scored_at, true),
        false
    )
union all
select
    customer_id,
    'category_intent' as score
from {{ ref('category_intent_scores') }}
where not coalesce(probability between 0 and 1 and coalesce(affinity, 0) between 0 and 1, false)
union all
select
    customer_id,
    'lookalike' as score
from {{ ref('lookalike_scores') }}
where not coalesce(likeness between 0 and 1, state <> 'scored')
