{% set scored_on = scoring_day() %}
with methods as (
    select
        method,
        model_version
    from {{ ref('trained_model_evaluations') }}
    where score = 'recommendation' and metric = 'ndcg' and segment = 'all' and is_chosen
),

ranked as (
    select
        rankings.*,
        methods.method,
        methods.model_version,
        case methods.method
            when 'blend' then rankings.blend_rank
            when 'personal' then rankings.personal_rank
            else rankings.popularity_rank
        end as product_rank
    from {{ ref('product_rankings') }} as rankings
    cross join methods
    where rankings.cutoff_on = {{ scored_on }}
),

products as (
    select
        product_id,
        product_name
    from {{ ref('products') }}
)

select
    ranked.customer_id,
    cast(ranked.product_rank as bigint) as product_rank,
    ranked.product_id,
    ranked.kind,
    -- What somebody looked at is not said to them: it would tell that they were watched.
    case
        when ranked.kind = 'bought_before' then 'Bought before'
        when ranked.kind = 'related' and because.product_name is not null then 'Often bought together with ' || because.product_name
        when ranked.kind = 'new' then coalesce('New in ' || ranked.category, 'New in the shop')
        when ranked.kind = 'taste' then 'Popular in ' || ranked.category
        when ranked.kind = 'popular' then 'Popular in the shop'
        else coalesce('Picked from ' || ranked.category, 'Picked for you')
    end || '.' as reason,
    case when ranked.kind = 'related' then ranked.because_product_id end as because_product_id,
    ranked.score,
    ranked.method,
    ranked.model_version,
    {{ as_of() }} as scored_at
from ranked
left join products as because on ranked.because_product_id = because.product_id
where ranked.product_rank <= 10
