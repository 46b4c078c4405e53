-- How often each product sells now, and whether its buyers buy it again.
with cutoffs as (
    select cutoff_on
    from {{ ref('feature_cutoffs') }}
    where days_back in (0, {{ var('churn_days') }})
),

products as (
    select * from {{ ref('products') }}
),

purchases as (
    select distinct
        customer_id,
        product_id,
        {{ day_of('ordered_at') }} as ordered_on
    from {{ ref('order_lines') }}
    where is_sale and not coalesce(is_renewal, false) and product_id is not null
),

by_customer as (
    select
        cutoffs.cutoff_on,
        purchases.product_id,
        purchases.customer_id,
        count(*) as n_days,
        count(case when purchases.ordered_on >= {{ days_before('cutoffs.cutoff_on', 30) }} then 1 end) as n_days_30d,
        min(purchases.ordered_on) as first_ordered_on
    from purchases
    inner join cutoffs on purchases.ordered_on < cutoffs.cutoff_on
    group by cutoffs.cutoff_on, purchases.product_id, purchases.customer_id
),

by_product as (
    select
        cutoff_on,
        product_id,
        count(*) as n_buyers,
        count(case when n_days > 1 then 1 end) as n_rebuyers,
        sum(n_days_30d) as n_baskets_30d,
        min(first_ordered_on) as first_ordered_on
    from by_customer
    group by cutoff_on, product_id
),

product_cutoffs as (
    select
        cutoffs.cutoff_on,
        products.product_id,
        products.category,
        products.brand,
        products.price,
        products.is_replenishable,
        products.is_in_stock,
        coalesce(by_product.n_buyers, 0) as n_buyers,
        coalesce(by_product.n_rebuyers, 0) as n_rebuyers,
        coalesce(by_product.n_baskets_30d, 0) as n_baskets_30d,
        {{ date_diff('coalesce(' ~ day_of('products.created_at') | trim ~ ', by_product.first_ordered_on)', 'cutoffs.cutoff_on', 'day') }} as days_on_sale
    from products
    cross join cutoffs
    left join by_product on products.product_id = by_product.product_id and cutoffs.cutoff_on = by_product.cutoff_on
),

product_rates as (
    select
        *,
        cast(sum(n_rebuyers) over (partition by cutoff_on) as {{ double_type() }})
        / nullif(sum(n_buyers) over (partition by cutoff_on), 0) as rebuyer_share,
        cast(sum(n_baskets_30d) over (partition by cutoff_on, category) as {{ double_type() }})
        / nullif(count(days_on_sale) over (partition by cutoff_on, category), 0) as category_baskets_30d
    from product_cutoffs
    -- A product without a sale may have no start date.
    where coalesce(days_on_sale > 0, true)
)

select
    cutoff_on,
    product_id,
    category,
    brand,
    price,
    is_in_stock,
    coalesce(days_on_sale < 30, false) as is_new,
    cast(n_baskets_30d as bigint) as n_baskets_30d,
    coalesce(
        is_replenishable,
        -- Without the shop's own flag, repeat purchases decide. Products with few buyers are drawn towards the average.
        (n_rebuyers + 20 * rebuyer_share) / (n_buyers + 20) >= {{ var('bought_again_min_share') }},
        false
    ) as is_bought_again,
    -- A new product has less than 30 days of sales: its pace so far is projected, drawn towards its category.
    case
        when days_on_sale < 30
            then (n_baskets_30d + 0.5 * category_baskets_30d) / (cast(days_on_sale as {{ double_type() }}) / 30 + 0.5)
        else cast(n_baskets_30d as {{ double_type() }})
    end as expected_baskets_30d
from product_rates
