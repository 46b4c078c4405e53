-- The parts of each sale and refund make what was paid and given back, and net revenue is that of orders and of customers.
with bridge as (
    select * from {{ ref('revenue_bridge') }}
),

by_order as (
    select
        order_id,
        sum(net_revenue) as net_revenue
    from bridge
    where order_id is not null
    group by order_id
),

by_customer as (
    select
        customer_id,
        sum(net_revenue) as net_revenue
    from bridge
    group by customer_id
)

select
    'parts' as what,
    entry_id as of_whom
from bridge
where
    gross_amount - discount_amount + shipping_amount + tax_amount + tip_amount + gift_card_sold_amount <> paid_amount
    or returned_amount + returned_shipping_amount + returned_tax_amount + returned_other_amount <> refund_amount
union all
select
    'order' as what,
    orders.order_id as of_whom
from {{ ref('orders') }} as orders
left join by_order on orders.order_id = by_order.order_id
where orders.net_revenue <> coalesce(by_order.net_revenue, 0)
union all
select
    'customer' as what,
    customers.customer_id as of_whom
from {{ ref('customers') }} as customers
left join by_customer on customers.customer_id = by_customer.customer_id
where customers.net_revenue <> coalesce(by_customer.net_revenue, 0)
