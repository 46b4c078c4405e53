-- What people look at and buy, by product.
{% set points = var('interest_points') %}
{% set fades = [] %}
{% for day in ['viewed_on', 'bought_on'] %}
{% set age_days = dbt.datediff(day, as_of_day(), 'day') %}
{% do fades.append("cast(power(0.5, cast(" ~ age_days ~ " as " ~ dbt.type_float() ~ ") / " ~ var('interest_half_life_days') ~ ") as decimal(18, 6))") %}
{% endfor %}
with viewed as (
    select
        customer_id,
        product_id,
        sum(n_views) as n_views,
        count(case when n_views > 0 then 1 end) as n_days_viewed,
        sum(n_cart_adds) as n_cart_adds,
        sum(
            (
                {{ points['product_view'] }} * n_views
                + {{ points['add_to_wishlist'] }} * n_wishlist_adds
                + {{ points['add_to_cart'] }} * n_cart_adds
            ) * {{ fades[0] }}
        ) as interest,
        min(first_viewed_at) as first_viewed_at,
        max(last_viewed_at) as last_viewed_at
    from {{ ref('product_interaction_days') }}
    where viewed_on >= {{ days_before(as_of_day(), var('interest_days')) }}
    group by customer_id, product_id
),

-- By day first: to count the different days in one go is twice the work.
bought_by_day as (
    select
        customer_id,
        product_id,
        {{ day_of('ordered_at') }} as bought_on,
        sum(quantity) as n_units,
        count(*) as n_lines,
        min(ordered_at) as first_ordered_at,
        max(ordered_at) as last_ordered_at
    from {{ ref('order_lines') }}
    where is_sale and not coalesce(is_renewal, false) and product_id is not null
    group by 1, 2, 3
),

bought as (
    select
        customer_id,
        product_id,
        sum(n_units) as n_units,
        count(*) as n_days_ordered,
        sum({{ points['purchase'] }} * n_lines * {{ fades[1] }}) as interest,
        min(first_ordered_at) as first_ordered_at,
        max(last_ordered_at) as last_ordered_at
    from bought_by_day
    group by customer_id, product_id
),

products as (
    select * from {{ ref('products') }}
),

both_ways as (
    select
        coalesce(viewed.customer_id, bought.customer_id) as customer_id,
        coalesce(viewed.product_id, bought.product_id) as product_id,
        viewed.n_views,
        viewed.n_days_viewed,
        viewed.n_cart_adds,
        viewed.first_viewed_at,
        viewed.last_viewed_at,
        bought.n_units,
        bought.n_days_ordered,
        bought.first_ordered_at,
        bought.last_ordered_at,
        coalesce(viewed.interest, 0) + coalesce(bought.interest, 0) as interest
    from viewed
    full join bought
        on viewed.customer_id = bought.customer_id and viewed.product_id = bought.product_id
)

select
    both_ways.customer_id,
    both_ways.product_id,
    products.category,
    cast(coalesce(both_ways.n_views, 0) as bigint) as n_views,
    cast(coalesce(both_ways.n_days_viewed, 0) as bigint) as n_days_viewed,
    cast(coalesce(both_ways.n_cart_adds, 0) as bigint) as n_cart_adds,
    cast(coalesce(both_ways.n_units, 0) as decimal(18, 4)) as n_units,
    cast(coalesce(both_ways.n_days_ordered, 0) as bigint) as n_days_ordered,
    cast(both_ways.interest as decimal(18, 4)) as interest,
    both_ways.first_viewed_at,
    both_ways.last_viewed_at,
    both_ways.first_ordered_at,
    both_ways.last_ordered_at
from both_ways
left join products on both_ways.product_id = products.product_id
