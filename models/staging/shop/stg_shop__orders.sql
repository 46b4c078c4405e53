-- Amounts are in the order's own currency, and exchange_rate converts them to the shop's. Deductions are positive here,
-- whichever sign they came with: order_issues lists columns with both signs.
with orders as (
    select * from {{ ref('base_shop__rated_orders') }} where reject_reason is null
)

select
    orders.order_id,
    orders.customer_id as shop_customer_id,
    orders.visitor_id,
    orders.email,
    orders.phone,
    {{ clean_name('orders.first_name') }} as first_name,
    {{ clean_name('orders.last_name') }} as last_name,
    countries.country_code,
    orders.status as order_status,
    orders.coupon_code,
    orders.sales_channel,
    orders.currency_code as currency,
    orders.exchange_rate,
    orders.total_amount,
    abs(coalesce(orders.discount_amount, 0)) as discount_amount,
    coalesce(orders.shipping_amount, 0) as shipping_amount,
    orders.tax_amount,
    coalesce(orders.tip_amount, 0) as tip_amount,
    abs(orders.gift_card_amount) as gift_card_amount,
    orders.prices_include_tax,
    orders.ordered_at,
    coalesce(orders.updated_at, orders.ordered_at) as updated_at
from orders
left join {{ ref('country_names') }} as countries on lower(orders.country) = countries.country_name
