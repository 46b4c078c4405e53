-- The products for each customer: by all that is known, and by the two rules it is judged against. One pass over the
-- candidates: own interest, what goes with it, and what sells in the categories of that interest and in the shop.
{% set weights = var('recommendation_weights') %}
{% set scored_on = scoring_day() %}
-- Whoever is described at a moment has a number here, and so has each product then: a hundred candidates for each of them
-- are put together and ranked by numbers, which takes half of what texts take.
with described as (
    select
        customer_id,
        cutoff_on,
        row_number() over (order by customer_id, cutoff_on) as described_number
    from {{ ref('customer_features') }}
    where is_scoring or cutoff_on = {{ days_before(scored_on, var('churn_days')) }}
),

-- In the order of their ids, which decides where all else is equal.
products as (
    select
        popularity.*,
        row_number() over (order by popularity.cutoff_on, popularity.product_id) as product_number,
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

interests as (
    select
        described.described_number,
        products.product_number,
        interests.*
    from {{ ref('product_interest') }} as interests
    inner join described
        on interests.customer_id = described.customer_id and interests.cutoff_on = described.cutoff_on
    left join products
        on interests.cutoff_on = products.cutoff_on and interests.product_id = products.product_id
),

placed as (
    select
        *,
        row_number() over (partition by described_number order by interest_share desc, product_id asc) as place
    from interests
    where interest_share > 0
),

seeds as (
    select
        *,
        cast(interest_share as {{ dbt.type_float() }})
        / cast(sum(interest_share) over (partition by described_number) as {{ dbt.type_float() }}) as seed_share
    from placed
    where place <= {{ var('recommendation_seeds') }}
),

relations as (
    select
        seeds.described_number,
        products.product_number,
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
        interests.described_number,
        interests.cutoff_on,
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
    group by interests.described_number, interests.cutoff_on, all_products.category
),

proposed as (
    select
        described_number,
        product_number,
        cast(0 as {{ wide_decimal(28, 14) }}) as relation,
        cast(null as {{ dbt.type_string() }}) as because_product_id
    from placed
    where place <= 100 and product_number is not null
    union all
    select
        described_number,
        product_number,
        relation,
        because_product_id
    from relations
    union all
    select
        tastes.described_number,
        products.product_number,
        cast(0 as {{ wide_decimal(28, 14) }}) as relation,
        cast(null as {{ dbt.type_string() }}) as because_product_id
    from tastes
    inner join products
        on tastes.cutoff_on = products.cutoff_on and tastes.category = products.category and products.category_place <= 10
    where tastes.place <= 3 and products.expected_baskets_30d > 0
    union all
    select
        described.described_number,
        products.product_number,
        cast(0 as {{ wide_decimal(28, 14) }}) as relation,
        cast(null as {{ dbt.type_string() }}) as because_product_id
    from described
    inner join products on described.cutoff_on = products.cutoff_on and products.shop_place <= 30
    where products.expected_baskets_30d > 0
),

candidates as (
    select
        described_number,
        product_number,
        cast(sum(relation) as {{ dbt.type_float() }}) as relation,
        {{ value_at_max('because_product_id', 'case when because_product_id is not null then relation end') }} as because_product_id
    from proposed
    group by described_number, product_number
),

scored as (
    select
        candidates.described_number,
        candidates.product_number,
        candidates.relation,
        candidates.because_product_id,
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
                and interests.last_bought_on < {{ days_before('products.cutoff_on', var('replenishment_min_days')) }}
            )
        )
),

ranked as (
    select
        *,
        row_number() over (partition by described_number order by score desc, product_number asc) as blend_rank,
        row_number() over (
            partition by described_number
            order by n_days_bought desc, n_days_looked_at desc, n_baskets_30d desc, product_number asc
        ) as personal_rank,
        row_number() over (
            partition by described_number order by n_baskets_30d desc, product_number asc
        ) as popularity_rank
    from scored
)

select
    described.customer_id,
    described.cutoff_on,
    products.product_id,
    products.category,
    ranked.score,
    case
        when ranked.n_days_bought > 0 then 'bought_before'
        when ranked.relation > 0 and {{ weights['related'] }} * ranked.relation >= ranked.interest_share then 'related'
        when ranked.interest_share > 0 then 'looked_at'
        when ranked.is_new then 'new'
        when ranked.taste > 0 then 'taste'
        else 'popular'
    end as kind,
    ranked.because_product_id,
    ranked.blend_rank,
    ranked.personal_rank,
    ranked.popularity_rank
from ranked
inner join described on ranked.described_number = described.described_number
inner join products on ranked.product_number = products.product_number
where ranked.blend_rank <= 10 or ranked.personal_rank <= 10 or ranked.popularity_rank <= 10
