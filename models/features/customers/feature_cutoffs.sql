-- The cut-offs of customer_features: the scoring day, and past days with known outcomes for training and back-tests.
{% set horizon = var('churn_days') %}
{% set scored_on = scoring_day() %}
{% set shortest = var('training_min_history_days') %}
with first_order as (
    select
        min(activity_on) as first_ordered_on,
        {{ date_diff('min(activity_on)', scored_on, 'day') }} as history_days
    from {{ ref('customer_daily_activity') }}
    where n_orders > 0
),

-- A model trained on one outcome window is back-tested on a later one. If the history is too short for two windows of the
-- horizon, windows shrink until three fit: several cut-offs train better than one.
lengths as (
    select
        *,
        case
            when history_days - {{ shortest }} >= 2 * {{ horizon }} then {{ horizon }}
            else greatest(3 * cast(floor((coalesce(history_days, 0) - {{ shortest }}) / 9.0) as bigint), least({{ horizon }}, 30))
        end as learning_days
    from first_order
),

steps as (
    {% for step in range(var('training_cutoffs')) -%}
    select {{ step }} as step
    {{ 'union all' if not loop.last }}
    {% endfor %}
),

moments as (
    select 0 as days_back
    union distinct
    -- Recommendations are back-tested on the newest one.
    select {{ horizon }} as days_back
    union distinct
    select
        lengths.learning_days
        + steps.step * greatest({{ var('training_step_days') }}, cast(ceil(lengths.learning_days / 3.0) as bigint)) as days_back
    from lengths
    cross join steps
    union distinct
    -- The same season a year before the scoring day, and a year before the newest back-test.
    select 365 as days_back
    union distinct
    select 365 + learning_days as days_back
    from lengths
),

cutoffs as (
    select
        cast(days_back as bigint) as days_back,
        cast({{ date_add('day', '-cast(days_back as integer)', scored_on) }} as date) as cutoff_on
    from moments
    where days_back is not null
)

select
    cutoffs.cutoff_on,
    case when cutoffs.days_back = 0 then {{ as_of_day() }} else cutoffs.cutoff_on end as counted_on,
    cutoffs.days_back,
    cutoffs.days_back = 0 as is_scoring,
    cast({{ horizon }} as bigint) as horizon_days,
    cast(coalesce(lengths.learning_days, {{ horizon }}) as bigint) as learning_days,
    cast({{ date_diff('lengths.first_ordered_on', 'cutoffs.cutoff_on', 'day') }} as bigint) as history_days
from cutoffs
cross join lengths
where
    cutoffs.days_back = 0
    or {{ date_diff('lengths.first_ordered_on', 'cutoffs.cutoff_on', 'day') }} >= {{ shortest }}
