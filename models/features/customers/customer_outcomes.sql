-- What happened after each cut-off. A window that ends after the scoring day has no outcome yet.
{% set scored_on = scoring_day() %}
with cutoffs as (
    select
        cutoff_on,
        days_back,
        learning_days
    from {{ ref('feature_cutoffs') }}
    where not is_scoring
),

customer_cutoffs as (
    select
        features.customer_id,
        features.cutoff_on,
        cutoffs.learning_days,
        cutoffs.days_back >= cutoffs.learning_days as is_over,
        cutoffs.days_back >= 365 as is_year_over
    from {{ ref('customer_features') }} as features
    inner join cutoffs on features.cutoff_on = cutoffs.cutoff_on
),

activity as (
    select
        customer_id,
        activity_on,
        n_orders,
        revenue - returned_amount as net_revenue
    from {{ ref('customer_daily_activity') }}
    where (n_orders > 0 or n_refunds > 0 or revenue <> 0) and activity_on < {{ scored_on }}
),

dated_activity as (
    select
        customer_cutoffs.customer_id,
        customer_cutoffs.cutoff_on,
        customer_cutoffs.learning_days,
        customer_cutoffs.is_over,
        customer_cutoffs.is_year_over,
        activity.n_orders,
        activity.net_revenue,
        {{ date_diff('customer_cutoffs.cutoff_on', 'activity.activity_on', 'day') }} as days_after
    from customer_cutoffs
    left join activity
        on customer_cutoffs.customer_id = activity.customer_id and activity.activity_on >= customer_cutoffs.cutoff_on
)

select
    customer_id,
    cutoff_on,
    learning_days,
    cast(case when is_over then count(case when days_after < learning_days and n_orders > 0 then 1 end) end as bigint)
        as n_order_days_next,
    cast(case when is_over then coalesce(sum(case when days_after < learning_days then net_revenue end), 0) end as {{ double_type() }})
        as net_revenue_next,
    cast(case when is_year_over then coalesce(sum(case when days_after < 365 then net_revenue end), 0) end as {{ double_type() }})
        as net_revenue_next_365d,
    cast(min(case when n_orders > 0 then days_after end) as bigint) as days_to_next_order
from dated_activity
group by customer_id, cutoff_on, learning_days, is_over, is_year_over
