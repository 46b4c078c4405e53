-- The lines of an order add up to its net amount, unless none of them has a price.
select
    orders.order_id,
    orders.net_amount,
    sum(lines.net_amount) as net_of_lines
from {{ ref('orders') }} as orders
inner join {{ ref('order_lines') }} as lines on orders.order_id = lines.order_id
group by orders.order_id, orders.net_amount
having sum(lines.net_amount) <> orders.net_amount
