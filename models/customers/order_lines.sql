with lines as (
    select * from {{ ref('stg_shop__order_lines') }}
),

order_customers as (
    select * from {{ ref('order_customers') }}
),

amounts as (
    select
        order_id,
        exchange_rate,
        net_amount as order_net_amount
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

converted_lines as (
    select
        lines.order_line_id,
        lines.order_id,
        order_customers.customer_id,
        lines.product_id,
        products.category,
        products.brand,
        lines.quantity,
        -- A line has the currency of its order.
        cast(round(cast(lines.unit_price as {{ wide_decimal(19, 4) | trim }}) * amounts.exchange_rate, 4) as decimal(18, 4)) as unit_price,
        {{ at_rate('lines.gross_amount', 'amounts.exchange_rate') }} as gross_amount,
        {{ at_rate('lines.discount_amount', 'amounts.exchange_rate') }} as discount_amount,
        amounts.order_net_amount,
        cast(coalesce(refunds.returned_amount, 0) as decimal(18, 2)) as returned_amount,
        lines.gross_amount > 0 and {{ is_gift_card_line() }} as is_gift_card,
        order_customers.is_sale,
        order_customers.is_renewal,
        order_customers.ordered_at
    from lines
    inner join order_customers on lines.order_id = order_customers.order_id
    inner join amounts on lines.order_id = amounts.order_id
    left join products on lines.product_id = products.product_id
    left join refunds on lines.order_line_id = refunds.order_line_id
),

lines_with_running_price as (
    select
        *,
        sum(case when is_gift_card then 0 else gross_amount - discount_amount end)
            over (partition by order_id order by order_line_id rows between unbounded preceding and current row) as price_so_far,
        sum(case when is_gift_card then 0 else gross_amount - discount_amount end) over (partition by order_id) as price_of_all
    from converted_lines
),

-- Each line gets its share of the order's net amount, so that lines add up to the order. Without prices the share is unknown.
lines_with_net_so_far as (
    select
        *,
        case when price_of_all <> 0 or order_net_amount = 0 then {{ money_share('order_net_amount', 'price_so_far', 'price_of_all') }} end as net_so_far
    from lines_with_running_price
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
    cast(
        net_so_far - coalesce(lag(net_so_far) over (partition by order_id order by order_line_id), 0) as decimal(18, 2)
    ) as net_amount,
    returned_amount,
    is_gift_card,
    is_sale,
    is_renewal,
    ordered_at
from lines_with_net_so_far
