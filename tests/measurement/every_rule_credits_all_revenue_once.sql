-- Each rule of attribution adds up to the net revenue of all orders, to the cent, and to their number.
with totals as (
    select
        count(*) as n_orders,
        coalesce(sum(net_revenue), 0) as revenue
    from {{ ref('orders') }}
    where is_sale and ordered_at <= {{ as_of() }} and ordered_at > {{ date_add('day', -var('attribution_days'), as_of()) }}
),

credited as (
    select
        rule,
        sum(n_orders) as n_orders,
        sum(revenue) as revenue,
        min(n_orders) as fewest_orders
    from {{ ref('attribution_by_source') }}
    group by rule
)

select
    credited.rule,
    credited.revenue,
    totals.revenue as all_revenue
from credited
cross join totals
where
    credited.revenue <> totals.revenue
    or abs(credited.n_orders - totals.n_orders) > 0.000001
    or credited.fewest_orders < -0.000001
