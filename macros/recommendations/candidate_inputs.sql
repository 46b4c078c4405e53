{#
The CTEs that product_candidates begins with: what is recommended to whom, and what each customer is interested in.
#}
{% macro candidate_inputs(cutoff_on) -%}
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
)
{%- endmacro %}
