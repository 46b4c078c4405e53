-- Orders and revenue by flow and campaign, shared by each rule, beside what the flow's holdout shows. Orders without a click within the
-- window before them are a source of their own, so that each rule adds up to all revenue.
-- Longer than 120 lines because every part of that sum stands here, one CTE each.
with orders as (
    select
        order_id,
        net_revenue
    from {{ ref('orders') }}
    where is_sale and ordered_at <= {{ as_of() }} and ordered_at > {{ date_add('day', -var('attribution_days'), as_of()) }}
),

credits as (
    select
        rule,
        source,
        sum(share) as n_orders,
        sum(revenue) as revenue
    from {{ ref('order_credits') }}
    group by rule, source
),

path_credits as (
    select * from {{ ref('path_credits') }}
),

-- Cents of the rules over all paths, cut so that they add up.
path_revenue as (
    select
        rule,
        source,
        n_orders,
        sum(revenue) over (partition by rule order by source rows between unbounded preceding and current row) as revenue_so_far
    from path_credits
),

cut_revenue as (
    select
        rule,
        source,
        n_orders,
        cast(
            round(revenue_so_far, 2) - round(coalesce(lag(revenue_so_far) over (partition by rule order by source), 0), 2) as decimal(18, 2)
        ) as revenue
    from path_revenue
),

all_credits as (
    select
        rule,
        source,
        n_orders,
        cast(revenue as decimal(18, 2)) as revenue
    from credits
    union all
    select
        rule,
        source,
        n_orders,
        revenue
    from cut_revenue
),

rules as (
    {% for rule in attribution_rules() -%}
    select '{{ rule }}' as rule
    {{ 'union all' if not loop.last }}
    {% endfor %}
),

totals as (
    select
        count(*) as n_orders,
        coalesce(sum(net_revenue), 0) as revenue
    from orders
),

credited as (
    select
        rule,
        sum(n_orders) as n_orders,
        sum(revenue) as revenue
    from all_credits
    group by rule
),

with_rest as (
    select * from all_credits
    union all
    select
        rules.rule,
        'no e-mail' as source,
        totals.n_orders - coalesce(credited.n_orders, 0) as n_orders,
        cast(totals.revenue - coalesce(credited.revenue, 0) as decimal(18, 2)) as revenue
    from rules
    cross join totals
    left join credited on rules.rule = credited.rule
),

-- An order is assisted by a source whose click was not the last.
assists as (
    select
        source,
        count(distinct order_id) as n_assisted
    from {{ ref('email_touches') }}
    where order_id is not null and touch_number < n_touches
    group by source
),

incremental as (
    select
        experiment as source,
        difference * n_customers as revenue,
        sequence_low * n_customers as revenue_low,
        sequence_high * n_customers as revenue_high
    from {{ ref('experiment_results') }}
    where experiment like 'flow:%' and measure = 'net_revenue' and segment_type = 'all'
)

select
    with_rest.rule,
    with_rest.source,
    cast(with_rest.n_orders as {{ double_type() }}) as n_orders,
    with_rest.revenue,
    cast(coalesce(assists.n_assisted, 0) as bigint) as n_assisted,
    cast(incremental.revenue as {{ double_type() }}) as incremental_revenue,
    cast(incremental.revenue_low as {{ double_type() }}) as incremental_low,
    cast(incremental.revenue_high as {{ double_type() }}) as incremental_high,
    -- Only where the holdout shows that the flow earns anything.
    case when incremental.revenue_low > 0 then cast(with_rest.revenue as {{ double_type() }}) / incremental.revenue end as over_credit
from with_rest
left join assists on with_rest.source = assists.source
left join incremental on with_rest.source = incremental.source
