{% set weights = var('recommendation_weights') %}
with {{ product_candidates(scoring_day()) }},

methods as (
    select
        method,
        model_version
    from {{ ref('trained_model_evaluations') }}
    where score = 'recommendation' and metric = 'ndcg' and segment = 'all' and is_chosen
),

-- What a method does not rank by is the same for all.
ranked as (
    select
        scored.*,
        methods.method,
        methods.model_version,
        row_number() over (
            partition by scored.described_number
            order by
                case when methods.method = 'blend' then scored.score else 0 end desc,
                case when methods.method = 'personal' then scored.n_days_bought else 0 end desc,
                case when methods.method = 'personal' then scored.n_days_viewed else 0 end desc,
                case when methods.method <> 'blend' then scored.n_baskets_30d else 0 end desc,
                scored.product_number asc
        ) as product_rank
    from scored
    cross join methods
),

recommended as (
    select
        ranked.described_number,
        ranked.product_number,
        ranked.product_rank,
        ranked.score,
        ranked.method,
        ranked.model_version,
        products.product_id,
        products.category,
        case
            when ranked.n_days_bought > 0 then 'bought_before'
            when ranked.relation > 0 and {{ weights['related'] }} * ranked.relation >= ranked.interest_share then 'related'
            when ranked.interest_share > 0 then 'viewed'
            when products.is_new then 'new'
            when ranked.taste > 0 then 'taste'
            else 'popular'
        end as kind
    from ranked
    inner join products on ranked.product_number = products.product_number
    where ranked.product_rank <= 10
),

-- What they bought that speaks most for a related product.
because as (
    select
        recommended.described_number,
        recommended.product_number,
        {{ value_at_max('seeds.product_id', relatedness('seeds', 'pairs')) }} as product_id
    from recommended
    inner join seeds on recommended.described_number = seeds.described_number
    inner join pairs on seeds.product_id = pairs.product_id and recommended.product_number = pairs.product_number
    where recommended.kind = 'related' and seeds.n_days_bought > 0 and pairs.kind = 'bought_together'
    group by recommended.described_number, recommended.product_number
),

named as (
    select
        product_id,
        product_name
    from {{ ref('products') }}
)

select
    described.customer_id,
    cast(recommended.product_rank as bigint) as product_rank,
    recommended.product_id,
    recommended.kind,
    -- What somebody looked at is not said to them: it would tell that they were watched.
    case
        when recommended.kind = 'bought_before' then 'Bought before'
        when recommended.kind = 'related' and named.product_name is not null then 'Often bought together with ' || named.product_name
        when recommended.kind = 'new' then coalesce('New in ' || recommended.category, 'New in the shop')
        when recommended.kind = 'taste' then 'Popular in ' || recommended.category
        when recommended.kind = 'popular' then 'Popular in the shop'
        else coalesce('Picked from ' || recommended.category, 'Picked for you')
    end || '.' as reason,
    because.product_id as because_product_id,
    recommended.score,
    recommended.method,
    recommended.model_version,
    {{ as_of() }} as scored_at
from recommended
inner join described on recommended.described_number = described.described_number
left join because
    on
        recommended.described_number = because.described_number
        and recommended.product_number = because.product_number
left join named on because.product_id = named.product_id
