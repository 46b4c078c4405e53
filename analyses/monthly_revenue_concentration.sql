-- Monthly: how much of the last year's revenue depends on how few customers?
with customers as (
    select
        customer_id,
        revenue_365d
    from {{ ref('customers') }}
    where revenue_365d > 0
),

ranked_buyers as (
    select
        revenue_365d,
        cast(row_number() over (order by revenue_365d desc, customer_id) as {{ double_type() }}) / count(*) over () as place_share,
        sum(revenue_365d) over () as total
    from customers
),

bands as (
    {% for share in [0.01, 0.05, 0.1, 0.2, 0.5, 1] -%}
    select {{ share }} as top_share {{ 'union all' if not loop.last }}
    {% endfor %}
)

select
    bands.top_share,
    count(*) as n_customers,
    sum(ranked_buyers.revenue_365d) as revenue_365d,
    cast(sum(ranked_buyers.revenue_365d) as {{ double_type() }}) / cast(max(ranked_buyers.total) as {{ double_type() }}) as revenue_share
from bands
inner join ranked_buyers on bands.top_share >= ranked_buyers.place_share
group by bands.top_share
order by bands.top_share
