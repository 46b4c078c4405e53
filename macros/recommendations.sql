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
profiled_customers as (
    select
        customer_id,
        n_order_days,
        cast(row_number() over (order by customer_id) as integer) as customer_number
    from {{ ref('customer_features') }}
    where cutoff_on = {{ cutoff_on }}
),

-- Numbered by id, which breaks ties.
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
        -- Stock is known for today only.
        and (popularity.cutoff_on < {{ scoring_day() }} or coalesce(popularity.is_in_stock, true))
),

interests as (
    select
        profiled_customers.customer_number,
        products.product_number,
        interests.*
    from {{ ref('product_interest') }} as interests
    inner join profiled_customers on interests.customer_id = profiled_customers.customer_id
    left join products on interests.product_id = products.product_id
    where interests.cutoff_on = {{ cutoff_on }}
),

-- Interest in sensitive products leads to no recommendation.
sensitive as (
    select product_id from {{ ref('products') }} where is_sensitive
),

ranked_interests as (
    select
        interests.*,
        row_number() over (
            partition by interests.customer_number order by interests.interest_share desc, interests.product_id asc
        ) as place
    from interests
    left join sensitive on interests.product_id = sensitive.product_id
    where interests.interest_share > 0 and sensitive.product_id is null
),

seeds as (
    select
        customer_number,
        product_id,
        n_days_bought,
        cast(interest_share as {{ double_type() }})
        / cast(sum(interest_share) over (partition by customer_number) as {{ double_type() }}) as seed_share
    from ranked_interests
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
        -- Similarity counts for new products only. Other products have purchases that show what goes together.
        and (pairs.kind <> 'similar' or products.is_new)
),

tastes as (
    select
        interests.customer_number,
        all_products.category,
        cast(sum(interests.interest_share) as {{ double_type() }})
        / cast(sum(sum(interests.interest_share)) over (partition by interests.customer_number) as {{ double_type() }}) as taste,
        row_number() over (
            partition by interests.customer_number
            order by sum(interests.interest_share) desc, all_products.category asc
        ) as place
    from interests
    inner join {{ ref('products') }} as all_products on interests.product_id = all_products.product_id
    where interests.interest_share > 0 and all_products.category is not null
    group by interests.customer_number, all_products.category
),

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
