with lines as (
    select * from {{ ref('stg_shop__order_lines') }}
),

order_customers as (
    select * from {{ ref('order_customers') }}
),

-- A line is in its order's currency.
rates as (
    select
        order_id,
        exchange_rate
    from {{ ref('order_amounts') }}
),

products as (
    select * from {{ ref('products') }}
),

refunds as (
    select
        order_line_id,
        sum(returned_amount) as returned_amount
    from {{ ref('refunds') }}
    where order_line_id is not null
    group by order_line_id
),

converted as (
    select
        lines.order_line_id,
        lines.order_id,
        order_customers.customer_id,
        lines.product_id,
        products.category,
        products.brand,
        lines.quantity,
        cast(round(cast(lines.unit_price as {{ wide_decimal(19, 4) | trim }}) * rates.exchange_rate, 4) as decimal(18, 4)) as unit_price,
        {{ at_rate('lines.gross_amount', 'rates.exchange_rate') }} as gross_amount,
        {{ at_rate('lines.discount_amount', 'rates.exchange_rate') }} as discount_amount,
        cast(coalesce(refunds.returned_amount, 0) as decimal(18, 2)) as returned_amount,
        lines.gross_amount > 0 and {{ is_gift_card_line() }} as is_gift_card,
        order_customers.is_sale,
        order_customers.is_renewal,
        order_customers.ordered_at
    from lines
    inner join order_customers on lines.order_id = order_customers.order_id
    inner join rates on lines.order_id = rates.order_id
    left join products on lines.product_id = products.product_id
    left join refunds on lines.order_line_id = refunds.order_line_id
)

select
    order_line_id,
    order_id,
    customer_id,
    product_id,
    category,
    brand,
    quantity,
    unit_price,
    gross_amount,
    discount_amount,
    cast(gross_amount - discount_amount as decimal(18, 2)) as net_amount,
    returned_amount,
    is_gift_card,
    is_sale,
    is_renewal,
    ordered_at
from converted
