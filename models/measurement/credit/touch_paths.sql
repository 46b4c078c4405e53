-- Paths of sources, with how often they ended in an order, and the revenue of these orders.
with ends as (
    select
        path_id,
        max(order_id) as order_id,
        {{ joined_in_order('source', 'touch_number', ' > ') }} as path
    from {{ ref('email_touches') }}
    group by path_id
)

select
    ends.path,
    cast(count(ends.order_id) as bigint) as n_orders,
    cast(count(*) - count(ends.order_id) as bigint) as n_without_order,
    cast(coalesce(sum(orders.net_revenue), 0) as {{ double_type() }}) as revenue
from ends
left join {{ ref('orders') }} as orders on ends.order_id = orders.order_id
group by ends.path
