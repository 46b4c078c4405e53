-- Top products of each customer at the past cut-off by three methods, compared with the next basket. Only customers who
-- ordered within the horizon.
{% set scored_on = scoring_day() %}
{% set cutoff_on = days_before(scored_on, var('churn_days')) %}
with {{ product_candidates(cutoff_on) }},

purchases as (
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
        profiled_customers.customer_number,
        profiled_customers.customer_id,
        profiled_customers.n_order_days,
        purchases.product_id
    from profiled_customers
    inner join purchases on profiled_customers.customer_id = purchases.customer_id
    where purchases.ordered_on = purchases.next_ordered_on
),

buyers as (
    select
        customer_number,
        max(customer_id) as customer_id,
        max(n_order_days) as n_order_days,
        count(*) as n_bought
    from baskets
    group by customer_number
),

ranked_products as (
    select
        buyers.customer_number,
        buyers.customer_id,
        buyers.n_order_days,
        buyers.n_bought,
        scored_products.product_number,
        row_number() over (
            partition by buyers.customer_number order by scored_products.score desc, scored_products.product_number asc
        ) as blend_rank,
        row_number() over (
            partition by buyers.customer_number
            order by
                scored_products.n_days_bought desc,
                scored_products.n_days_viewed desc,
                scored_products.n_baskets_30d desc,
                scored_products.product_number asc
        ) as personal_rank,
        row_number() over (
            partition by buyers.customer_number order by scored_products.n_baskets_30d desc, scored_products.product_number asc
        ) as popularity_rank
    from scored_products
    inner join buyers on scored_products.customer_number = buyers.customer_number
),

on_sale as (
    select count(*) as n_on_sale
    from {{ ref('product_popularity') }}
    where cutoff_on = {{ cutoff_on }}
)

select
    ranked_products.customer_id,
    {{ cutoff_on }} as cutoff_on,
    products.product_id,
    ranked_products.n_order_days,
    ranked_products.n_bought,
    ranked_products.blend_rank,
    ranked_products.personal_rank,
    ranked_products.popularity_rank,
    baskets.product_id is not null as was_bought,
    on_sale.n_on_sale
from ranked_products
inner join products on ranked_products.product_number = products.product_number
cross join on_sale
left join baskets on ranked_products.customer_number = baskets.customer_number and products.product_id = baskets.product_id
where ranked_products.blend_rank <= 10 or ranked_products.personal_rank <= 10 or ranked_products.popularity_rank <= 10
