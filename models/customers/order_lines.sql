with lines as (
    select * from {{ ref('stg_shop__order_lines') }}
),

order_customers as (
    select * from {{ ref('order_customers') }}
),

products as (
    select * from {{ ref('products') }}
),

refunds as (
    select
        order_line_id,
        sum(refund_amount) as refund_amount
    from {{ ref('refunds') }}
    where order_line_id is not null
    group by order_line_id
)

select
    lines.order_line_id,
    lines.order_id,
    order_customers.customer_id,
    lines.product_id,
    products.category,
    products.brand,
    lines.quantity,
    lines.unit_price,
    lines.gross_amount,
    lines.discount_amount,
    cast(lines.gross_amount - lines.discount_amount as decimal(18, 2)) as net_amount,
    cast(coalesce(refunds.refund_amount, 0) as decimal(18, 2)) as refund_amount,
    order_customers.is_sale,
    order_customers.ordered_at
from lines
inner join order_customers on lines.order_id = order_customers.order_id
left join products on lines.product_id = products.product_id
left join refunds on lines.order_line_id = refunds.order_line_id
