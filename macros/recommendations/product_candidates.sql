{#
Common table expressions with the recommendation candidates of each customer at a cut-off. The calling model adds its
ranking after them. Candidates are own interests, related products, and bestsellers of the preferred categories and of the
shop. The caller can use
    profiled_customers   customer_id with its customer_number
    products             product_popularity with the product_number, without products that must not be recommended
    seeds                the interests whose related products are candidates
    scored_products      one row per customer_number and product_number, with the score
Customers and products have numbers because about a hundred candidates per customer are joined and ranked. Integers take
half the time of texts.
#}
{% macro product_candidates(cutoff_on) -%}
{%- set weights = var('recommendation_weights') -%}
{{ candidate_inputs(cutoff_on) }},

candidate_products as (
    select
        customer_number,
        product_number,
        cast(0 as {{ wide_decimal(18, 14) }}) as relation
    from ranked_interests
    where place <= 100 and product_number is not null
    union all
    select
        seeds.customer_number,
        pairs.product_number,
        {{ relatedness('seeds', 'pairs') }} as relation
    from seeds
    inner join pairs on seeds.product_id = pairs.product_id
    union all
    select
        tastes.customer_number,
        products.product_number,
        cast(0 as {{ wide_decimal(18, 14) }}) as relation
    from tastes
    inner join products on tastes.category = products.category and products.category_place <= 10
    where tastes.place <= 3 and products.expected_baskets_30d > 0
    union all
    select
        profiled_customers.customer_number,
        products.product_number,
        cast(0 as {{ wide_decimal(18, 14) }}) as relation
    from profiled_customers
    inner join products on products.shop_place <= 30
    where products.expected_baskets_30d > 0
),

candidates as (
    select
        customer_number,
        product_number,
        cast(sum(relation) as {{ double_type() }}) as relation
    from candidate_products
    group by customer_number, product_number
),

scored_products as (
    select
        candidates.customer_number,
        candidates.product_number,
        candidates.relation,
        coalesce(tastes.taste, 0) as taste,
        products.n_baskets_30d,
        coalesce(interests.n_days_bought, 0) as n_days_bought,
        coalesce(interests.n_days_viewed, 0) as n_days_viewed,
        cast(coalesce(interests.interest_share, 0) as {{ double_type() }}) as interest_share,
        (
            cast(coalesce(interests.interest_share, 0) as {{ double_type() }})
            + {{ weights['related'] }} * candidates.relation
            + {{ weights['taste'] }} * coalesce(tastes.taste, 0)
            + {{ weights['anything'] }}
        ) * power(products.expected_baskets_30d + 1, {{ var('popularity_power') }}) as score
    from candidates
    inner join products on candidates.product_number = products.product_number
    left join interests
        on
            candidates.customer_number = interests.customer_number
            and candidates.product_number = interests.product_number
    left join tastes
        on candidates.customer_number = tastes.customer_number and products.category = tastes.category
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


{# Weight of a seed for a related product. A decimal, so the sum does not depend on the order of rows. #}
{% macro relatedness(seeds, pairs) -%}
    cast({{ seeds }}.seed_share * cast({{ pairs }}.likelihood as {{ double_type() }}) as {{ wide_decimal(18, 14) }})
{%- endmacro %}
