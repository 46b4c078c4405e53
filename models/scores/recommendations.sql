{% set weights = var('recommendation_weights') %}
with {{ product_candidates(scoring_day()) }},

methods as (
    select
        method,
        model_version
    from {{ ref('trained_model_evaluations') }}
    where score = 'recommendation' and metric = 'ndcg' and segment = 'all' and is_chosen
),

-- A sort key of another method is constant, so it has no effect.
ranked_products as (
    select
        scored_products.*,
        methods.method,
        methods.model_version,
        row_number() over (
            partition by scored_products.customer_number
            order by
                case when methods.method = 'blend' then scored_products.score else 0 end desc,
                case when methods.method = 'personal' then scored_products.n_days_bought else 0 end desc,
                case when methods.method = 'personal' then scored_products.n_days_viewed else 0 end desc,
                case when methods.method <> 'blend' then scored_products.n_baskets_30d else 0 end desc,
                scored_products.product_number asc
        ) as product_rank
    from scored_products
    cross join methods
),

recommended_products as (
    select
        ranked_products.customer_number,
        ranked_products.product_number,
        ranked_products.product_rank,
        ranked_products.score,
        ranked_products.method,
        ranked_products.model_version,
        products.product_id,
        products.category,
        case
            when ranked_products.n_days_bought > 0 then 'bought_before'
            when ranked_products.relation > 0 and {{ weights['related'] }} * ranked_products.relation >= ranked_products.interest_share then 'related'
            when ranked_products.interest_share > 0 then 'viewed'
            when products.is_new then 'new'
            when ranked_products.taste > 0 then 'taste'
            else 'popular'
        end as kind
    from ranked_products
    inner join products on ranked_products.product_number = products.product_number
    where ranked_products.product_rank <= 10
),

-- The purchase with the strongest link to a related product.
reason_products as (
    select
        recommended_products.customer_number,
        recommended_products.product_number,
        {{ value_at_max('seeds.product_id', relatedness('seeds', 'pairs')) }} as product_id
    from recommended_products
    inner join seeds on recommended_products.customer_number = seeds.customer_number
    inner join pairs on seeds.product_id = pairs.product_id and recommended_products.product_number = pairs.product_number
    where recommended_products.kind = 'related' and seeds.n_days_bought > 0 and pairs.kind = 'bought_together'
    group by recommended_products.customer_number, recommended_products.product_number
),

product_names as (
    select
        product_id,
        product_name
    from {{ ref('products') }}
)

select
    profiled_customers.customer_id,
    cast(recommended_products.product_rank as bigint) as product_rank,
    recommended_products.product_id,
    recommended_products.kind,
    -- The reason never mentions views: the customer would see that browsing is tracked.
    case
        when recommended_products.kind = 'bought_before' then 'Bought before'
        when recommended_products.kind = 'related' and product_names.product_name is not null then 'Often bought together with ' || product_names.product_name
        when recommended_products.kind = 'new' then coalesce('New in ' || recommended_products.category, 'New in the shop')
        when recommended_products.kind = 'taste' then 'Popular in ' || recommended_products.category
        when recommended_products.kind = 'popular' then 'Popular in the shop'
        else coalesce('Picked from ' || recommended_products.category, 'Picked for you')
    end || '.' as reason,
    reason_products.product_id as because_product_id,
    recommended_products.score,
    recommended_products.method,
    recommended_products.model_version,
    {{ as_of() }} as scored_at
from recommended_products
inner join profiled_customers on recommended_products.customer_number = profiled_customers.customer_number
left join reason_products
    on
        recommended_products.customer_number = reason_products.customer_number
        and recommended_products.product_number = reason_products.product_number
left join product_names on reason_products.product_id = product_names.product_id
