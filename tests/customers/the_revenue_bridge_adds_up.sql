-- The parts of each sale and refund add up to the amounts paid and refunded. Net revenue equals that of orders and customers.
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
    'parts' as level,
    entry_id as record_id
from bridge
where
    gross_amount - discount_amount + shipping_amount + tax_amount + tip_amount + gift_card_sold_amount <> paid_amount
    or returned_amount + returned_shipping_amount + returned_tax_amount + returned_other_amount <> refund_amount
union all
select
    'order' as level,
    orders.order_id as record_id
from {{ ref('orders') }} as orders
left join by_order on orders.order_id = by_order.order_id
where orders.net_revenue <> coalesce(by_order.net_revenue, 0)
union all
select
    'customer' as level,
    customers.customer_id as record_id
from {{ ref('customers') }} as customers
left join by_customer on customers.customer_id = by_customer.customer_id
where customers.net_revenue <> coalesce(by_customer.net_revenue, 0)
