-- Checks of the scores: each has a value and the bounds that it must keep.
-- Longer than 120 lines because the five kinds of checks share their measures and their sentences.
{% set last_day = days_before(as_of_day(), 1) %}
{# Clicks only by week: mail goes out on some days only. counted: the count that drift_min_count applies to. #}
{% set signals = [
    {'subject': 'orders, last day', 'amount': 'n_orders_1d', 'counted': 'n_orders_1d'},
    {'subject': 'orders, last week', 'amount': 'n_orders_7d', 'counted': 'n_orders_7d'},
    {'subject': 'revenue, last day', 'amount': 'revenue_1d', 'counted': 'n_orders_1d'},
    {'subject': 'revenue, last week', 'amount': 'revenue_7d', 'counted': 'n_orders_7d'},
    {'subject': 'refunds, last week', 'amount': 'n_refunds_7d', 'counted': 'n_refunds_7d'},
    {'subject': 'sessions, last day', 'amount': 'n_sessions_1d', 'counted': 'n_sessions_1d'},
    {'subject': 'sessions, last week', 'amount': 'n_sessions_7d', 'counted': 'n_sessions_7d'},
    {'subject': 'product views, last day', 'amount': 'n_product_views_1d', 'counted': 'n_product_views_1d'},
    {'subject': 'product views, last week', 'amount': 'n_product_views_7d', 'counted': 'n_product_views_7d'},
    {'subject': 'human clicks, last week', 'amount': 'n_human_clicks_7d', 'counted': 'n_human_clicks_7d'}
] %}
with models as (
    select * from {{ ref('trained_models') }}
),

stability as (
    select * from {{ ref('score_stability') }}
),

evaluations as (
    select * from {{ ref('trained_model_evaluations') }} where is_chosen and segment = 'all'
),

outcomes as (
    select
        outcomes.cutoff_on,
        outcomes.learning_days,
        count(*) as n_customers,
        -- Integers and decimals: a sum of doubles depends on the order of its rows.
        cast(count(case when outcomes.n_order_days_next > 0 then 1 end) as {{ double_type() }}) / count(*) as returned,
        cast(sum(cast(outcomes.net_revenue_next as decimal(18, 2))) as {{ double_type() }}) / count(*) as spent
    from {{ ref('customer_outcomes') }} as outcomes
    inner join {{ ref('customer_features') }} as features
        on outcomes.customer_id = features.customer_id and outcomes.cutoff_on = features.cutoff_on
    where features.n_order_days > 0 and outcomes.n_order_days_next is not null
    group by outcomes.cutoff_on, outcomes.learning_days
),

moments as (
    select
        *,
        row_number() over (order by cutoff_on desc) = 1 as is_newest
    from outcomes
    where n_customers >= {{ var('drift_min_count') }}
),

usual_outcomes as (
    select
        max(case when is_newest then cutoff_on end) as cutoff_on,
        max(learning_days) as learning_days,
        max(case when is_newest then returned end) as returned,
        max(case when is_newest then spent end) as spent,
        {{ median('case when not is_newest then returned end') }} as usual_returned,
        {{ median('case when not is_newest then spent end') }} as usual_spent
    from moments
),

days as (
    select
        *,
        1 + mod(cast({{ date_diff('activity_on', last_day, 'day') }} as bigint), 7) as days_ago,
        cast(floor({{ date_diff('activity_on', last_day, 'day') }} / 7.0) as bigint) as weeks_back
    from {{ ref('customer_daily_activity') }}
    where activity_on <= {{ last_day }} and activity_on > {{ days_before(last_day, 7 * (var('drift_usual_weeks') + 1)) }}
),

-- Compares the last days with the same weekdays of earlier weeks.
weeks as (
    select
        weeks_back,
        {{ window_sums('n_orders', [1, 7]) }},
        {{ window_sums('revenue', [1, 7]) }},
        {{ window_sums('n_refunds', [7]) }},
        {{ window_sums('n_sessions', [1, 7]) }},
        {{ window_sums('n_product_views', [1, 7]) }},
        {{ window_sums('n_human_clicks', [7]) }}
    from days
    group by weeks_back
),

jumps as (
    {% for signal in signals -%}
    select
        '{{ signal.subject }}' as subject,
        coalesce(max(case when weeks_back = 0 then cast({{ signal.amount }} as {{ double_type() }}) end), 0) as total,
        {{ median('case when weeks_back > 0 then cast(' ~ signal.amount ~ ' as ' ~ double_type() ~ ') end') }} as usual,
        {{ median('case when weeks_back > 0 then cast(' ~ signal.counted ~ ' as ' ~ double_type() ~ ') end') }} as usual_count
    from weeks
    {{ 'union all' if not loop.last }}
    {% endfor %}
),

checks as (
    select
        case when is_score then 'score_stability' else 'input_stability' end as check_name,
        model_name || '.' || column_name as subject,
        stability_index as value,
        cast(null as {{ double_type() }}) as lowest,
        cast({{ var('drift_max_stability_index') }} as {{ double_type() }}) as highest,
        is_score as may_stop,
        'too few customers to measure a shift' as unknown_because,
        'population stability index ' || {{ hundredths_text('stability_index') }}
        || ' since training (' || {{ counted('n_customers', 'customer') }} || ')' as what
    from stability
    union all
    select
        'training_age' as check_name,
        model_name as subject,
        cast({{ date_diff('trained_on', scoring_day(), 'day') }} as {{ double_type() }}) as value,
        cast(null as {{ double_type() }}) as lowest,
        cast({{ var('drift_max_training_age_days') }} as {{ double_type() }}) as highest,
        true as may_stop,
        'never trained' as unknown_because,
        'trained ' || {{ counted(date_diff('trained_on', scoring_day(), 'day'), 'day') }} || ' ago' as what
    from models
    union all
    select
        metric as check_name,
        score as subject,
        value,
        case
            when metric = 'total_bias' then -cast({{ var('drift_max_total_bias') }} as {{ double_type() }})
            -- May fall below the rule by the uncertainty of the back-test.
            when metric = 'top_tenth_share' then baseline_value + value - high
        end as lowest,
        case
            when metric = 'total_bias' then cast({{ var('drift_max_total_bias') }} as {{ double_type() }})
            when metric = 'calibration_error' then cast({{ var('drift_max_calibration_error') }} as {{ double_type() }})
        end as highest,
        false as may_stop,
        'cannot be computed for the customers of that cut-off' as unknown_because,
        case metric
            when 'total_bias' then 'expected revenue off by '
            when 'top_tenth_share' then 'share of revenue from the top tenth '
            else 'order probability off by '
        end
        || {{ hundredths_text('value') }} || ' in the back-test from ' || {{ day_text('cutoff_on') }} as what
    from evaluations
    where metric in ('calibration_error', 'total_bias', 'top_tenth_share')
    {% for subject, column in [('share that ordered', 'returned'), ('revenue per customer', 'spent')] -%}
    union all
    select
        'label_drift' as check_name,
        '{{ subject }}' as subject,
        {{ column }} / nullif(usual_{{ column }}, 0) as value,
        cast({{ var('drift_outcome')['lowest'] }} as {{ double_type() }}) as lowest,
        cast({{ var('drift_outcome')['highest'] }} as {{ double_type() }}) as highest,
        false as may_stop,
        'too few cut-offs with a known outcome' as unknown_because,
        {{ hundredths_text(column ~ ' / nullif(usual_' ~ column ~ ', 0)') }} || ' times the usual in the '
        || {{ counted('learning_days', 'day') }} || ' from ' || {{ day_text('cutoff_on') }} as what
    from usual_outcomes
    {% endfor -%}
    union all
    select
        'signal_jump' as check_name,
        subject,
        case when usual_count >= {{ var('drift_min_count') }} then total / nullif(usual, 0) end as value,
        cast({{ var('drift_jump')['lowest'] }} as {{ double_type() }}) as lowest,
        cast({{ var('drift_jump')['highest'] }} as {{ double_type() }}) as highest,
        true as may_stop,
        'usually too few to compare' as unknown_because,
        {{ hundredths_text('total / nullif(usual, 0)') }} || ' times the usual (' || {{ hundredths_text('total') }} || ' up to '
        || {{ day_text(last_day) }} || ', usually ' || {{ hundredths_text('usual') }} || ')' as what
    from jumps
),

evaluated_checks as (
    select
        *,
        coalesce(value < lowest or value > highest, false) as is_breached
    from checks
)

select
    check_name,
    subject,
    value,
    lowest,
    highest,
    is_breached,
    is_breached and may_stop as stops_activation,
    subject || ': '
    || case
        when value is null then unknown_because || '.'
        when not is_breached then what || ', within limits.'
        when value < lowest then what || ', below ' || {{ hundredths_text('lowest') }} || '.'
        else what || ', above ' || {{ hundredths_text('highest') }} || '.'
    end as sentence,
    {{ as_of() }} as checked_at
from evaluated_checks
