-- No refill is due for a customer who has just bought in all of their consumable categories.
with members as (
    {{ members_today(['replenishment_due']) }}
),

last_purchases as (
    select
        lines.customer_id,
        lines.category,
        max(lines.ordered_at) as last_ordered_at
    from {{ ref('order_lines') }} as lines
    inner join {{ ref('products') }} as products on lines.product_id = products.product_id
    where lines.is_sale and not lines.is_renewal and products.is_replenishable
    group by lines.customer_id, lines.category
)

select members.customer_id
from members
left join last_purchases on members.customer_id = last_purchases.customer_id
group by members.customer_id
having
    coalesce(
        min(last_purchases.last_ordered_at)
        >= {{ date_add('day', 1 - var('replenishment_min_days'), as_of_day()) }},
        true
    )
