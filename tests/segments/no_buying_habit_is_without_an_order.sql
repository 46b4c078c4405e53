-- No customer without an order is in a segment about order values, discounts or refunds.
with members as (
    {{ members_today(['high_order_value', 'discount_driven', 'full_price_buyers', 'refund_heavy_buyers']) }}
)

select
    members.segment,
    members.customer_id
from members
left join {{ ref('orders') }} as orders on members.customer_id = orders.customer_id and orders.is_sale and not orders.is_renewal
where orders.order_id is null
