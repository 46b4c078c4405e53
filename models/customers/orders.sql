with orders as (
    select * from {{ ref('stg_shop__orders') }}
),

order_customers as (
    select * from {{ ref('order_customers') }}
),

lines as (
    select
        order_id,
        count(*) as n_lines,
        sum(quantity) as n_units,
        sum(gross_amount) as gross_amount,
        sum(discount_amount) as discount_amount
    from {{ ref('stg_shop__order_lines') }}
    group by order_id
),

refunds as (
    select
        order_id,
        sum(refund_amount) as refund_amount,
        max(refunded_at) as last_refunded_at
    from {{ ref('refunds') }}
    where order_id is not null
    group by order_id
),

-- An order without lines counts with what was charged less shipping; without a total too, with nothing.
priced as (
    select
        orders.*,
        order_customers.customer_id,
        order_customers.is_sale,
        coalesce(lines.n_lines, 0) as n_lines,
        coalesce(lines.n_units, 0) as n_units,
        coalesce(
            lines.gross_amount, orders.total_amount - orders.shipping_amount + orders.discount_amount, 0
        ) as gross_amount,
        case
            when coalesce(lines.gross_amount, orders.total_amount) is null then 0
            else coalesce(lines.discount_amount, 0) + orders.discount_amount
        end as all_discount_amount,
        coalesce(refunds.refund_amount, 0) as refund_amount,
        refunds.last_refunded_at
    from orders
    inner join order_customers on orders.order_id = order_customers.order_id
    left join lines on orders.order_id = lines.order_id
    left join refunds on orders.order_id = refunds.order_id
),

-- Only sales are numbered: a cancelled order is neither a first nor a second one.
numbered as (
    select
        *,
        case
            when is_sale
                then row_number() over (partition by customer_id, is_sale order by ordered_at, order_id)
        end as sale_number,
        case
            when is_sale
                then lag(ordered_at) over (partition by customer_id, is_sale order by ordered_at, order_id)
        end as previous_ordered_at
    from priced
)

select
    order_id,
    customer_id,
    visitor_id,
    order_status,
    country_code,
    sales_channel,
    coupon_code,
    cast(sale_number as bigint) as sale_number,
    cast({{ dbt.datediff(day_of('previous_ordered_at') | trim, day_of('ordered_at') | trim, 'day') }} as bigint) as days_since_previous_order,
    cast(n_lines as bigint) as n_lines,
    cast(n_units as decimal(18, 4)) as n_units,
    cast(gross_amount as decimal(18, 2)) as gross_amount,
    cast(all_discount_amount as decimal(18, 2)) as discount_amount,
    cast(gross_amount - all_discount_amount as decimal(18, 2)) as net_amount,
    cast(refund_amount as decimal(18, 2)) as refund_amount,
    cast(
        case when is_sale then gross_amount - all_discount_amount - refund_amount else 0 end as decimal(18, 2)
    ) as net_revenue,
    shipping_amount,
    total_amount,
    is_sale,
    coalesce(sale_number = 1, false) as is_first_order,
    ordered_at,
    last_refunded_at,
    updated_at
from numbered
