-- Each category's share of the products that the shop sold in the year before a cut-off.
with cutoffs as (
    select cutoff_on
    from {{ ref('feature_cutoffs') }}
    where days_back in (0, {{ var('churn_days') }})
),

purchases as (
    select distinct
        lines.customer_id,
        lines.product_id,
        {{ day_of('lines.ordered_at') }} as ordered_on,
        lines.category
    from {{ ref('order_lines') }} as lines
    left join {{ ref('categories') }} as sensitive on lines.category = sensitive.category and sensitive.is_sensitive
    where lines.is_sale and not coalesce(lines.is_renewal, false) and lines.category is not null and sensitive.category is null
),

category_sales as (
    select
        cutoffs.cutoff_on,
        purchases.category,
        count(*) as n_sold
    from purchases
    inner join cutoffs
        on purchases.ordered_on < cutoffs.cutoff_on and purchases.ordered_on >= {{ days_before('cutoffs.cutoff_on', 365) }}
    group by cutoffs.cutoff_on, purchases.category
)

select
    cutoff_on,
    category,
    cast(n_sold as bigint) as n_sold,
    cast(n_sold as {{ double_type() }}) / sum(n_sold) over (partition by cutoff_on) as shop_share,
    row_number() over (partition by cutoff_on order by n_sold desc, category asc) as shop_rank
from category_sales
