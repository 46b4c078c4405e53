{#
The common table expressions that put together what each customer could be recommended at a cut-off: a model goes on after
them with its ranking. Own interest, what goes with it, and what sells in the categories of that interest and in the shop.
Left are
    described   customer_id and their described_number
    products    product_popularity with the product_number, without what must not be recommended
    seeds       the interests whose related products are candidates
    scored      one row per described_number and product_number, with the score of all that is known
Whoever is described has a number, and so has each product: a hundred candidates for each of them are put together and
ranked by numbers, which takes half of what texts take.
#}
{% macro product_candidates(cutoff_on) -%}
{%- set weights = var('recommendation_weights') -%}
described as (
    select
        customer_id,
        n_order_days,
        cast(row_number() over (order by customer_id) as integer) as described_number
    from {{ ref('customer_features') }}
    where cutoff_on = {{ cutoff_on }}
),

-- In the order of their ids, which decides where all else is equal.
products as (
    select
        popularity.*,
        cast(row_number() over (order by popularity.product_id) as integer) as product_number,
        row_number() over (
            partition by popularity.category order by popularity.expected_baskets_30d desc, popularity.product_id asc
        ) as category_place,
        row_number() over (order by popularity.expected_baskets_30d desc, popularity.product_id asc) as shop_place
    from {{ ref('product_popularity') }} as popularity
    left join {{ ref('categories') }} as sensitive on popularity.category = sensitive.category and sensitive.is_sensitive
    where
        popularity.cutoff_on = {{ cutoff_on }}
        and sensitive.category is null
        -- Stock is known of today only.
        and (popularity.cutoff_on < {{ scoring_day() }} or coalesce(popularity.is_in_stock, true))
),

interests as (
    select
        described.described_number,
        products.product_number,
        interests.*
    from {{ ref('product_interest') }} as interests
    inner join described on interests.customer_id = described.customer_id
    left join products on interests.product_id = products.product_id
    where interests.cutoff_on = {{ cutoff_on }}
),

-- Nothing is recommended because of what tells too much.
sensitive as (
    select product_id from {{ ref('products') }} where is_sensitive
),

placed as (
    select
        interests.*,
        row_number() over (
            partition by interests.described_number order by interests.interest_share desc, interests.product_id asc
        ) as place
    from interests
    left join sensitive on interests.product_id = sensitive.product_id
    where interests.interest_share > 0 and sensitive.product_id is null
),

seeds as (
    select
        described_number,
        product_id,
        n_days_bought,
        cast(interest_share as {{ dbt.type_float() }})
        / cast(sum(interest_share) over (partition by described_number) as {{ dbt.type_float() }}) as seed_share
    from placed
    where place <= {{ var('recommendation_seeds') }}
),

pairs as (
    select
        pairs.product_id,
        pairs.kind,
        pairs.likelihood,
        products.product_number
    from {{ ref('product_pairs') }} as pairs
    inner join products on pairs.related_product_id = products.product_id
    where
        pairs.cutoff_on = {{ cutoff_on }}
        -- Likeness speaks for what nobody had the time to buy; of the rest it is known what goes together.
        and (pairs.kind <> 'similar' or products.is_new)
),

tastes as (
    select
        interests.described_number,
        all_products.category,
        cast(sum(interests.interest_share) as {{ dbt.type_float() }})
        / cast(sum(sum(interests.interest_share)) over (partition by interests.described_number) as {{ dbt.type_float() }}) as taste,
        row_number() over (
            partition by interests.described_number
            order by sum(interests.interest_share) desc, all_products.category asc
        ) as place
    from interests
    inner join {{ ref('products') }} as all_products on interests.product_id = all_products.product_id
    where interests.interest_share > 0 and all_products.category is not null
    group by interests.described_number, all_products.category
),

proposed as (
    select
        described_number,
        product_number,
        cast(0 as {{ wide_decimal(18, 14) }}) as relation
    from placed
    where place <= 100 and product_number is not null
    union all
    select
        seeds.described_number,
        pairs.product_number,
        {{ relatedness('seeds', 'pairs') }} as relation
    from seeds
    inner join pairs on seeds.product_id = pairs.product_id
    union all
    select
        tastes.described_number,
        products.product_number,
        cast(0 as {{ wide_decimal(18, 14) }}) as relation
    from tastes
    inner join products on tastes.category = products.category and products.category_place <= 10
    where tastes.place <= 3 and products.expected_baskets_30d > 0
    union all
    select
        described.described_number,
        products.product_number,
        cast(0 as {{ wide_decimal(18, 14) }}) as relation
    from described
    inner join products on products.shop_place <= 30
    where products.expected_baskets_30d > 0
),

candidates as (
    select
        described_number,
        product_number,
        cast(sum(relation) as {{ dbt.type_float() }}) as relation
    from proposed
    group by described_number, product_number
),

scored as (
    select
        candidates.described_number,
        candidates.product_number,
        candidates.relation,
        coalesce(tastes.taste, 0) as taste,
        products.n_baskets_30d,
        coalesce(interests.n_days_bought, 0) as n_days_bought,
        coalesce(interests.n_days_viewed, 0) as n_days_viewed,
        cast(coalesce(interests.interest_share, 0) as {{ dbt.type_float() }}) as interest_share,
        (
            cast(coalesce(interests.interest_share, 0) as {{ dbt.type_float() }})
            + {{ weights['related'] }} * candidates.relation
            + {{ weights['taste'] }} * coalesce(tastes.taste, 0)
            + {{ weights['anything'] }}
        ) * power(products.expected_baskets_30d + 1, {{ var('popularity_power') }}) as score
    from candidates
    inner join products on candidates.product_number = products.product_number
    left join interests
        on
            candidates.described_number = interests.described_number
            and candidates.product_number = interests.product_number
    left join tastes
        on candidates.described_number = tastes.described_number and products.category = tastes.category
    where
        not coalesce(interests.was_given_back, false)
        and (
            interests.last_bought_on is null
            or (
                products.is_bought_again
                and interests.last_bought_on < {{ days_before(cutoff_on, var('replenishment_min_days')) }}
            )
        )
)
{%- endmacro %}


{# How much a seed of product_candidates() speaks for a product that goes with it; whole numbers add up to the same in any order. #}
{% macro relatedness(seeds, pairs) -%}
    cast({{ seeds }}.seed_share * cast({{ pairs }}.likelihood as {{ dbt.type_float() }}) as {{ wide_decimal(18, 14) }})
{%- endmacro %}
