-- A refund is of whoever its order is, whichever account it went to: with an erased person's order it is gone.
with refunds as (
    select * from {{ ref('stg_shop__refunds') }}
),

orders as (
    select order_id from {{ ref('stg_shop__orders') }}
),

order_customers as (
    select * from {{ ref('order_customers') }}
),

records as (
    select
        record_key,
        customer_id,
        erased_until
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
left join orders on refunds.order_id = orders.order_id
left join records
    on
        orders.order_id is null
        and records.record_key = 'shop_customer:' || refunds.shop_customer_id
        and coalesce(refunds.refunded_at > records.erased_until, records.erased_until is null)
where coalesce(order_customers.customer_id, records.customer_id) is not null
