select
    refund_id,
    order_id,
    order_line_id,
    customer_id as shop_customer_id,
    product_id,
    abs(quantity) as quantity,
    abs(amount) as refund_amount,
    abs(shipping_amount) as shipping_amount,
    abs(tax_amount) as tax_amount,
    reason as refund_reason,
    refunded_at
from {{ ref('base_shop__refunds') }}
where reject_reason is null
