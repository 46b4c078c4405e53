-- No active customer has ordered only once, except customers with a running subscription.
with members as (
    {{ members_today(['active']) }}
)

select
    members.customer_id,
    count(orders.order_id) as n_orders
from members
inner join {{ ref('customers') }} as customers on members.customer_id = customers.customer_id and customers.n_active_subscriptions = 0
left join {{ ref('orders') }} as orders on members.customer_id = orders.customer_id and orders.is_sale and not orders.is_renewal
group by members.customer_id
having count(orders.order_id) < 2
