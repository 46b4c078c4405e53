{% set points = var('interest_points') %}
{% set decay_factors = [] %}
{% for day in ['viewed_on', 'bought_on'] %}
{% set age_days = date_diff(day, as_of_day(), 'day') %}
{% do decay_factors.append("cast(power(0.5, cast(" ~ age_days ~ " as " ~ double_type() ~ ") / " ~ var('interest_half_life_days') ~ ") as decimal(18, 6))") %}
{% endfor %}
with product_views as (
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
            ) * {{ decay_factors[0] }}
        ) as interest,
        min(first_viewed_at) as first_viewed_at,
        max(last_viewed_at) as last_viewed_at
    from {{ ref('product_interaction_days') }}
    where viewed_on >= {{ days_before(as_of_day(), var('interest_days')) }}
    group by customer_id, product_id
),

-- By day first: counting distinct days directly takes twice the work.
purchases_by_day as (
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

product_purchases as (
    select
        customer_id,
        product_id,
        sum(n_units) as n_units,
        count(*) as n_days_ordered,
        sum({{ points['purchase'] }} * n_lines * {{ decay_factors[1] }}) as interest,
        min(first_ordered_at) as first_ordered_at,
        max(last_ordered_at) as last_ordered_at
    from purchases_by_day
    group by customer_id, product_id
),

products as (
    select * from {{ ref('products') }}
),

views_and_purchases as (
    select
        coalesce(product_views.customer_id, product_purchases.customer_id) as customer_id,
        coalesce(product_views.product_id, product_purchases.product_id) as product_id,
        product_views.n_views,
        product_views.n_days_viewed,
        product_views.n_cart_adds,
        product_views.first_viewed_at,
        product_views.last_viewed_at,
        product_purchases.n_units,
        product_purchases.n_days_ordered,
        product_purchases.first_ordered_at,
        product_purchases.last_ordered_at,
        coalesce(product_views.interest, 0) + coalesce(product_purchases.interest, 0) as interest
    from product_views
    full join product_purchases
        on product_views.customer_id = product_purchases.customer_id and product_views.product_id = product_purchases.product_id
)

select
    views_and_purchases.customer_id,
    views_and_purchases.product_id,
    products.category,
    cast(coalesce(views_and_purchases.n_views, 0) as bigint) as n_views,
    cast(coalesce(views_and_purchases.n_days_viewed, 0) as bigint) as n_days_viewed,
    cast(coalesce(views_and_purchases.n_cart_adds, 0) as bigint) as n_cart_adds,
    cast(coalesce(views_and_purchases.n_units, 0) as decimal(18, 4)) as n_units,
    cast(coalesce(views_and_purchases.n_days_ordered, 0) as bigint) as n_days_ordered,
    cast(views_and_purchases.interest as decimal(18, 4)) as interest,
    views_and_purchases.first_viewed_at,
    views_and_purchases.last_viewed_at,
    views_and_purchases.first_ordered_at,
    views_and_purchases.last_ordered_at
from views_and_purchases
left join products on views_and_purchases.product_id = products.product_id
