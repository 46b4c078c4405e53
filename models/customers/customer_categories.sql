with lines as (
    select * from {{ ref('order_lines') }} where is_sale and not coalesce(is_renewal, false)
),

by_category as (
    select
        customer_id,
        category,
        sum(quantity) as n_units,
        sum(case when is_gift_card then 0 else coalesce(net_amount, 0) - returned_amount end) as net_revenue,
        max(ordered_at) as last_ordered_at
    from lines
    where category is not null
    group by customer_id, category
)

select
    customer_id,
    category,
    cast(n_units as decimal(18, 4)) as n_units,
    cast(net_revenue as decimal(18, 2)) as net_revenue,
    cast(n_units as {{ double_type() }}) / nullif(sum(n_units) over (partition by customer_id), 0) as unit_share,
    last_ordered_at
from by_category
