-- The moments at which customers are described: now, to be scored; and past ones whose outcome is known, to learn from
-- and to be judged by. The same model describes all of them.
{% set horizon = var('churn_days') %}
{% set scored_on = scoring_day() %}
{% set days_back = [0] %}
{% for step in range(var('training_cutoffs')) %}
{% do days_back.append(horizon + step * var('training_step_days')) %}
{% endfor %}
-- The same season a year before, for what is judged today and for what was judged one horizon ago.
{% for days in [365, 365 + horizon] if days not in days_back %}{% do days_back.append(days) %}{% endfor %}
with first_order as (
    select min(activity_on) as first_ordered_on
    from {{ ref('customer_daily_activity') }}
    where n_orders > 0
),

cutoffs as (
    {% for days in days_back -%}
    select
        {{ days }} as days_back,
        cast({{ dbt.dateadd('day', -days, scored_on) }} as date) as cutoff_on
    {{ 'union all' if not loop.last }}
    {% endfor %}
)

select
    cutoffs.cutoff_on,
    cast(cutoffs.days_back as bigint) as days_back,
    cutoffs.days_back = 0 as is_scoring,
    cast({{ horizon }} as bigint) as horizon_days,
    cast({{ dbt.datediff('first_order.first_ordered_on', 'cutoffs.cutoff_on', 'day') }} as bigint) as history_days
from cutoffs
cross join first_order
where
    cutoffs.days_back = 0
    or {{ dbt.datediff('first_order.first_ordered_on', 'cutoffs.cutoff_on', 'day') }} >= {{ var('training_min_history_days') }}
