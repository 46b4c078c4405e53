{% set scored_on = scoring_day() %}
with pairs as (
    select * from {{ ref('product_pairs') }} where cutoff_on = {{ scored_on }}
),

products as (
    select popularity.product_id
    from {{ ref('product_popularity') }} as popularity
    left join {{ ref('categories') }} as sensitive on popularity.category = sensitive.category and sensitive.is_sensitive
    where popularity.cutoff_on = {{ scored_on }} and sensitive.category is null and coalesce(popularity.is_in_stock, true)
),

ranked_pairs as (
    select
        pairs.*,
        row_number() over (
            partition by pairs.product_id
            order by case when pairs.kind = 'similar' then 1 else 0 end asc, pairs.likelihood desc, pairs.related_product_id asc
        ) as related_rank
    from pairs
    inner join products on pairs.related_product_id = products.product_id
)

select
    product_id,
    cast(related_rank as bigint) as related_rank,
    related_product_id,
    kind,
    n_customers,
    cast(likelihood as {{ double_type() }}) as likelihood,
    {{ as_of() }} as scored_at
from ranked_pairs
where related_rank <= 10
