select
    order_line_id,
    order_id,
    product_id,
    quantity,
    unit_price,
    coalesce(discount_amount, 0) as discount_amount,
    coalesce(line_amount, cast(round(quantity * unit_price, 2) as decimal(18, 2))) as gross_amount
from {{ ref('base_shop__order_lines') }}
where reject_reason is null
