-- The products for each customer at the past cut-off as each of three methods ranks them, held against the next basket of those
-- who ordered within the horizon.
{% set scored_on = scoring_day() %}
{% set cutoff_on = days_before(scored_on, var('churn_days')) %}
with {{ product_candidates(cutoff_on) }},

bought as (
    select distinct
        customer_id,
        product_id,
        {{ day_of('ordered_at') }} as ordered_on,
        min({{ day_of('ordered_at') }}) over (partition by customer_id) as next_ordered_on
    from {{ ref('order_lines') }}
    where
        is_sale
        and not coalesce(is_renewal, false)
        and product_id is not null
        and {{ day_of('ordered_at') }} >= {{ cutoff_on }}
        and {{ day_of('ordered_at') }} < {{ scored_on }}
),

baskets as (
    select
        described.described_number,
        described.customer_id,
        described.n_order_days,
        bought.product_id
    from described
    inner join bought on described.customer_id = bought.customer_id
    where bought.ordered_on = bought.next_ordered_on
),

buyers as (
    select
        described_number,
        max(customer_id) as customer_id,
        max(n_order_days) as n_order_days,
        count(*) as n_bought
    from baskets
    group by described_number
),

ranked as (
    select
        buyers.described_number,
        buyers.customer_id,
        buyers.n_order_days,
        buyers.n_bought,
        scored.product_number,
        row_number() over (
            partition by buyers.described_number order by scored.score desc, scored.product_number asc
        ) as blend_rank,
        row_number() over (
            partition by buyers.described_number
            order by scored.n_days_bought desc, scored.n_days_viewed desc, scored.n_baskets_30d desc, scored.product_number asc
        ) as personal_rank,
        row_number() over (
            partition by buyers.described_number order by scored.n_baskets_30d desc, scored.product_number asc
        ) as popularity_rank
    from scored
    inner join buyers on scored.described_number = buyers.described_number
),

on_sale as (
    select count(*) as n_on_sale
    from {{ ref('product_popularity') }}
    where cutoff_on = {{ cutoff_on }}
)

select
    ranked.customer_id,
    {{ cutoff_on }} as cutoff_on,
    products.product_id,
    ranked.n_order_days,
    ranked.n_bought,
    ranked.blend_rank,
    ranked.personal_rank,
    ranked.popularity_rank,
    baskets.product_id is not null as was_bought,
    on_sale.n_on_sale
from ranked
inner join products on ranked.product_number = products.product_number
cross join on_sale
left join baskets on ranked.described_number = baskets.described_number and products.product_id = baskets.product_id
where ranked.blend_rank <= 10 or ranked.personal_rank <= 10 or ranked.popularity_rank <= 10
