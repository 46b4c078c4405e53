-- What happened after each cut-off, where it is over: the window closes no later than the scoring day.
{% set horizons = [var('churn_days'), 365] | unique | list %}
{% set scored_on = scoring_day() %}
with described as (
    select
        customer_id,
        cutoff_on
    from {{ ref('customer_features') }}
    where not is_scoring
),

activity as (
    select
        customer_id,
        activity_on,
        n_orders,
        revenue - refund_amount as net_revenue
    from {{ ref('customer_daily_activity') }}
    where (n_orders > 0 or n_refunds > 0) and activity_on < {{ scored_on }}
)

select
    described.customer_id,
    described.cutoff_on,
    {% for days in horizons -%}
    {% set is_over = days_after('described.cutoff_on', days) ~ " <= " ~ scored_on -%}
    {% set is_within = "activity.activity_on < " ~ days_after('described.cutoff_on', days) -%}
    cast(
        case
            when {{ is_over }}
                then count(case when {{ is_within }} and activity.n_orders > 0 then 1 end)
        end as bigint
    ) as n_order_days_next_{{ days }}d,
    cast(
        case
            when {{ is_over }}
                then coalesce(sum(case when {{ is_within }} then activity.net_revenue end), 0)
        end as double
    ) as net_revenue_next_{{ days }}d,
    {% endfor -%}
    cast({{ dbt.datediff('described.cutoff_on', 'min(case when activity.n_orders > 0 then activity.activity_on end)', 'day') }} as bigint)
        as days_to_next_order
from described
left join activity
    on described.customer_id = activity.customer_id and activity.activity_on >= described.cutoff_on
group by described.customer_id, described.cutoff_on
