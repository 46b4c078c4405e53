-- What part of what the shop sold each category had, in the year before a cut-off.
with cutoffs as (
    select cutoff_on
    from {{ ref('feature_cutoffs') }}
    where days_back in (0, {{ var('churn_days') }})
),

bought as (
    select distinct
        lines.customer_id,
        lines.product_id,
        {{ day_of('lines.ordered_at') }} as ordered_on,
        lines.category
    from {{ ref('order_lines') }} as lines
    left join {{ ref('categories') }} as sensitive on lines.category = sensitive.category and sensitive.is_sensitive
    where lines.is_sale and not coalesce(lines.is_renewal, false) and lines.category is not null and sensitive.category is null
),

sold as (
    select
        cutoffs.cutoff_on,
        bought.category,
        count(*) as n_sold
    from bought
    inner join cutoffs
        on bought.ordered_on < cutoffs.cutoff_on and bought.ordered_on >= {{ days_before('cutoffs.cutoff_on', 365) }}
    group by cutoffs.cutoff_on, bought.category
)

select
    cutoff_on,
    category,
    cast(n_sold as bigint) as n_sold,
    cast(n_sold as {{ dbt.type_float() }}) / sum(n_sold) over (partition by cutoff_on) as shop_share,
    row_number() over (partition by cutoff_on order by n_sold desc, category asc) as shop_rank
from sold
