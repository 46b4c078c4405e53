-- The products for each customer: by all that is known, and by the two rules it is judged against. One pass over the
-- candidates: own interest, what goes with it, and what sells in the categories of that interest and in the shop.
{% set weights = var('recommendation_weights') %}
{% set scored_on = scoring_day() %}
with described as (
    select
        customer_id,
        cutoff_on
    from {{ ref('customer_features') }}
    where is_scoring or cutoff_on = {{ days_before(scored_on, var('churn_days')) }}
),

interests as (
    select * from {{ ref('product_interest') }}
),

products as (
    select
        popularity.*,
        row_number() over (
            partition by popularity.cutoff_on, popularity.category order by popularity.expected_baskets_30d desc, popularity.product_id asc
        ) as category_place,
        row_number() over (
            partition by popularity.cutoff_on order by popularity.expected_baskets_30d desc, popularity.product_id asc
        ) as shop_place
    from {{ ref('product_popularity') }} as popularity
    left join {{ ref('sensitive_categories') }} as sensitive on popularity.category = sensitive.category
    where
        sensitive.category is null
        -- Stock is known of today only.
        and (popularity.cutoff_on < {{ scored_on }} or coalesce(popularity.is_in_stock, true))
),

placed as (
    select
        *,
        row_number() over (
            partition by customer_id, cutoff_on order by interest_share desc, product_id asc
        ) as place
    from interests
    where interest_share > 0
),

seeds as (
    select
        *,
        cast(interest_share as {{ dbt.type_float() }}) / cast(sum(interest_share) over (partition by customer_id, cutoff_on) as {{ dbt.type_float() }}) as seed_share
    from placed
    where place <= {{ var('recommendation_seeds') }}
),

relations as (
    select
        seeds.customer_id,
        seeds.cutoff_on,
        pairs.related_product_id as product_id,
        cast(seeds.seed_share * cast(pairs.likelihood as {{ dbt.type_float() }}) as {{ wide_decimal(28, 14) }}) as relation,
        case when seeds.n_days_bought > 0 and pairs.kind = 'bought_together' then seeds.product_id end as because_product_id
    from seeds
    inner join {{ ref('product_pairs') }} as pairs
        on seeds.cutoff_on = pairs.cutoff_on and seeds.product_id = pairs.product_id
    inner join products
        on pairs.cutoff_on = products.cutoff_on and pairs.related_product_id = products.product_id
    -- Likeness speaks for what nobody had the time to buy; of the rest it is known what goes together.
    where pairs.kind <> 'similar' or products.is_new
),

tastes as (
    select
        interests.customer_id,
        interests.cutoff_on,
        all_products.category,
        cast(sum(interests.interest_share) as {{ dbt.type_float() }})
        / cast(sum(sum(interests.interest_share)) over (partition by interests.customer_id, interests.cutoff_on) as {{ dbt.type_float() }}) as taste,
        row_number() over (
            partition by interests.customer_id, interests.cutoff_on
            order by sum(interests.interest_share) desc, all_products.category asc
        ) as place
    from interests
    inner join {{ ref('products') }} as all_products on interests.product_id = all_products.product_id
    where interests.interest_share > 0 and all_products.category is not null
    group by interests.customer_id, interests.cutoff_on, all_products.category
),

proposed as (
    select
        customer_id,
        cutoff_on,
        product_id,
        cast(0 as {{ wide_decimal(28, 14) }}) as relation,
        cast(null as {{ dbt.type_string() }}) as because_product_id
    from placed
    where place <= 100
    union all
    select
        customer_id,
        cutoff_on,
        product_id,
        relation,
        because_product_id
    from relations
    union all
    select
        tastes.customer_id,
        tastes.cutoff_on,
        products.product_id,
        cast(0 as {{ wide_decimal(28, 14) }}) as relation,
        cast(null as {{ dbt.type_string() }}) as because_product_id
    from tastes
    inner join products
        on tastes.cutoff_on = products.cutoff_on and tastes.category = products.category and products.category_place <= 10
    where tastes.place <= 3 and products.expected_baskets_30d > 0
    union all
    select
        described.customer_id,
        described.cutoff_on,
        products.product_id,
        cast(0 as {{ wide_decimal(28, 14) }}) as relation,
        cast(null as {{ dbt.type_string() }}) as because_product_id
    from described
    inner join products on described.cutoff_on = products.cutoff_on and products.shop_place <= 30
    where products.expected_baskets_30d > 0
),

candidates as (
    select
        customer_id,
        cutoff_on,
        product_id,
        cast(sum(relation) as {{ dbt.type_float() }}) as relation,
        {{ value_at_max('because_product_id', 'case when because_product_id is not null then relation end') }} as because_product_id
    from proposed
    group by customer_id, cutoff_on, product_id
),

scored as (
    select
        candidates.customer_id,
        candidates.cutoff_on,
        candidates.product_id,
        candidates.relation,
        candidates.because_product_id,
        products.category,
        products.is_new,
        coalesce(tastes.taste, 0) as taste,
        products.n_baskets_30d,
        coalesce(interests.n_days_bought, 0) as n_days_bought,
        coalesce(interests.n_days_looked_at, 0) as n_days_looked_at,
        cast(coalesce(interests.interest_share, 0) as {{ dbt.type_float() }}) as interest_share,
        (
            cast(coalesce(interests.interest_share, 0) as {{ dbt.type_float() }})
            + {{ weights['related'] }} * candidates.relation
            + {{ weights['taste'] }} * coalesce(tastes.taste, 0)
            + {{ weights['anything'] }}
        ) * power(products.expected_baskets_30d + 1, {{ var('popularity_power') }}) as score
    from candidates
    inner join products on candidates.cutoff_on = products.cutoff_on and candidates.product_id = products.product_id
    left join interests
        on
            candidates.customer_id = interests.customer_id
            and candidates.cutoff_on = interests.cutoff_on
            and candidates.product_id = interests.product_id
    left join tastes
        on
            candidates.customer_id = tastes.customer_id
            and candidates.cutoff_on = tastes.cutoff_on
            and products.category = tastes.category
    where
        not coalesce(interests.was_given_back, false)
        and (
            interests.last_bought_on is null
            or (
                products.is_bought_again
                and interests.last_bought_on < {{ days_before('candidates.cutoff_on', var('replenishment_min_days')) }}
            )
        )
),

ranked as (
    select
        *,
        row_number() over (partition by customer_id, cutoff_on order by score desc, product_id asc) as blend_rank,
        row_number() over (
            partition by customer_id, cutoff_on
            order by n_days_bought desc, n_days_looked_at desc, n_baskets_30d desc, product_id asc
        ) as personal_rank,
        row_number() over (
            partition by customer_id, cutoff_on order by n_baskets_30d desc, product_id asc
        ) as popularity_rank
    from scored
)

select
    customer_id,
    cutoff_on,
    product_id,
    category,
    score,
    case
        when n_days_bought > 0 then 'bought_before'
        when relation > 0 and {{ weights['related'] }} * relation >= interest_share then 'related'
        when interest_share > 0 then 'looked_at'
        when is_new then 'new'
        when taste > 0 then 'taste'
        else 'popular'
    end as kind,
    because_product_id,
    blend_rank,
    personal_rank,
    popularity_rank
from ranked
where blend_rank <= 10 or personal_rank <= 10 or popularity_rank <= 10
