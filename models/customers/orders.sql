with orders as (
    select * from {{ ref('stg_shop__orders') }}
),

amounts as (
    select * from {{ ref('order_amounts') }}
),

order_customers as (
    select * from {{ ref('order_customers') }}
),

refunds as (
    select
        order_id,
        sum(refund_amount) as refund_amount,
        sum(returned_amount) as returned_amount,
        max(refunded_at) as last_refunded_at
    from {{ ref('refunds') }}
    where order_id is not null
    group by order_id
),

orders_with_amounts as (
    select
        orders.*,
        order_customers.customer_id,
        order_customers.is_sale,
        order_customers.subscription_id,
        order_customers.is_renewal,
        amounts.n_lines,
        amounts.n_units,
        amounts.gross_amount,
        amounts.net_amount,
        amounts.discount_amount as all_discount_amount,
        amounts.tax_amount as all_tax_amount,
        amounts.shipping_amount as net_shipping_amount,
        amounts.tip_amount as all_tip_amount,
        amounts.gift_card_sold_amount,
        amounts.gift_card_paid_amount,
        amounts.paid_amount,
        amounts.total_amount as charged_amount,
        amounts.cost_amount,
        coalesce(refunds.refund_amount, 0) as refund_amount,
        coalesce(refunds.returned_amount, 0) as returned_amount,
        refunds.last_refunded_at
    from orders
    inner join order_customers on orders.order_id = order_customers.order_id
    inner join amounts on orders.order_id = amounts.order_id
    left join refunds on orders.order_id = refunds.order_id
),

-- Only sales are numbered, so a cancelled order is neither first nor second. Renewals are not, because no person placed them.
numbered_orders as (
    select
        *,
        case
            when is_sale and not coalesce(is_renewal, false)
                then row_number() over (partition by customer_id, is_sale, is_renewal order by ordered_at, order_id)
        end as sale_number,
        case
            when is_sale and not coalesce(is_renewal, false)
                then lag(ordered_at) over (partition by customer_id, is_sale, is_renewal order by ordered_at, order_id)
        end as previous_ordered_at
    from orders_with_amounts
)

select
    order_id,
    customer_id,
    visitor_id,
    order_status,
    country_code,
    sales_channel,
    coupon_code,
    currency,
    subscription_id,
    cast(sale_number as bigint) as sale_number,
    cast({{ date_diff(day_of('previous_ordered_at') | trim, day_of('ordered_at') | trim, 'day') }} as bigint) as days_since_previous_order,
    cast(n_lines as bigint) as n_lines,
    cast(n_units as decimal(18, 4)) as n_units,
    gross_amount,
    all_discount_amount as discount_amount,
    net_amount,
    cast(refund_amount as decimal(18, 2)) as refund_amount,
    cast(returned_amount as decimal(18, 2)) as returned_amount,
    cast(case when is_sale then net_amount - returned_amount else 0 end as decimal(18, 2)) as net_revenue,
    net_shipping_amount as shipping_amount,
    all_tax_amount as tax_amount,
    all_tip_amount as tip_amount,
    gift_card_sold_amount,
    gift_card_paid_amount,
    paid_amount,
    charged_amount as total_amount,
    cost_amount,
    exchange_rate,
    is_sale,
    is_renewal,
    coalesce(sale_number = 1, false) as is_first_order,
    ordered_at,
    last_refunded_at,
    updated_at
from numbered_orders
