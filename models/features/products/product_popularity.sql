-- How much each product is asked for now, by whomever, and whether those who have it buy it again.
with cutoffs as (
    select cutoff_on
    from {{ ref('feature_cutoffs') }}
    where days_back in (0, {{ var('churn_days') }})
),

products as (
    select * from {{ ref('products') }}
),

bought as (
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
        bought.product_id,
        bought.customer_id,
        count(*) as n_days,
        count(case when bought.ordered_on >= {{ days_before('cutoffs.cutoff_on', 30) }} then 1 end) as n_days_30d,
        min(bought.ordered_on) as first_ordered_on
    from bought
    inner join cutoffs on bought.ordered_on < cutoffs.cutoff_on
    group by cutoffs.cutoff_on, bought.product_id, bought.customer_id
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

described as (
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
        {{ dbt.datediff('coalesce(' ~ day_of('products.created_at') | trim ~ ', by_product.first_ordered_on)', 'cutoffs.cutoff_on', 'day') }} as days_on_sale
    from products
    cross join cutoffs
    left join by_product on products.product_id = by_product.product_id and cutoffs.cutoff_on = by_product.cutoff_on
),

shared as (
    select
        *,
        cast(sum(n_rebuyers) over (partition by cutoff_on) as {{ dbt.type_float() }})
        / nullif(sum(n_buyers) over (partition by cutoff_on), 0) as rebuyer_share,
        cast(sum(n_baskets_30d) over (partition by cutoff_on, category) as {{ dbt.type_float() }})
        / nullif(count(days_on_sale) over (partition by cutoff_on, category), 0) as category_baskets_30d
    from described
    -- Since when is not known of what nobody has bought yet.
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
        -- Where the shop does not say, its customers do; a product that few have bought is like the others.
        (n_rebuyers + 20 * rebuyer_share) / (n_buyers + 20) >= {{ var('bought_again_min_share') }},
        false
    ) as is_bought_again,
    -- What is new has not had 30 days: it is taken to sell on as it began, drawn towards its category.
    case
        when days_on_sale < 30
            then (n_baskets_30d + 0.5 * category_baskets_30d) / (cast(days_on_sale as {{ dbt.type_float() }}) / 30 + 0.5)
        else cast(n_baskets_30d as {{ dbt.type_float() }})
    end as expected_baskets_30d
from shared
