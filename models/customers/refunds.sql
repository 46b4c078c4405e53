with refunds as (
    select * from {{ ref('stg_shop__refunds') }}
),

order_customers as (
    select * from {{ ref('order_customers') }}
),

records as (
    select
        record_key,
        customer_id
    from {{ ref('record_customers') }}
)

select
    refunds.refund_id,
    order_customers.order_id,
    refunds.order_line_id,
    coalesce(order_customers.customer_id, records.customer_id) as customer_id,
    refunds.product_id,
    refunds.quantity,
    refunds.refund_amount,
    refunds.refund_reason,
    coalesce(order_customers.is_sale, true) as is_sale,
    refunds.refunded_at
from refunds
left join order_customers on refunds.order_id = order_customers.order_id
left join records on records.record_key = 'shop_customer:' || refunds.shop_customer_id
where coalesce(order_customers.customer_id, records.customer_id) is not null
