-- No first-time buyer, and no customer in the second-order window, has placed a second order.
with members as (
    {{ members_today(['first_time_buyer', 'second_order_window']) }}
)

select
    members.customer_id,
    count(orders.order_id) as n_orders
from members
left join {{ ref('orders') }} as orders on members.customer_id = orders.customer_id and orders.is_sale and not orders.is_renewal
group by members.customer_id
having count(orders.order_id) <> 1
