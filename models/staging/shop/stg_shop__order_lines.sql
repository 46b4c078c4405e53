-- The discount of a returned line is returned with it, so it takes the sign of the amount.
with lines as (
    select
        *,
        coalesce(line_amount, {{ at_price('quantity', 'unit_price') }}) as gross_amount,
        abs(coalesce(discount_amount, 0)) as discount_taken_off
    from {{ ref('base_shop__order_lines') }}
    where reject_reason is null
)

select
    order_line_id,
    order_id,
    product_id,
    quantity,
    unit_price,
    case when gross_amount < 0 then -discount_taken_off else discount_taken_off end as discount_amount,
    gross_amount,
    tax_amount,
    unit_cost,
    is_gift_card
from lines
