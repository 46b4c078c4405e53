-- The products for each customer at the past cut-off, as each of three methods would have ranked them.
with {{ product_candidates(days_before(scoring_day(), var('churn_days'))) }},

ranked as (
    select
        described_number,
        product_number,
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
    products.product_id,
    ranked.blend_rank,
    ranked.personal_rank,
    ranked.popularity_rank
from ranked
inner join described on ranked.described_number = described.described_number
inner join products on ranked.product_number = products.product_number
where ranked.blend_rank <= 10 or ranked.personal_rank <= 10 or ranked.popularity_rank <= 10
