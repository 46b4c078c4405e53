-- The categories of the next basket after the past cut-off, next to what was known at the cut-off.
{% set scored_on = scoring_day() %}
{% set cutoff_on = days_before(scored_on, var('churn_days')) %}
with profiled_customers as (
    select customer_id
    from {{ ref('customer_features') }}
    where cutoff_on = {{ cutoff_on }}
),

purchases as (
    select distinct
        lines.customer_id,
        lines.product_id,
        lines.category,
        {{ day_of('lines.ordered_at') }} as ordered_on,
        min({{ day_of('lines.ordered_at') }}) over (partition by lines.customer_id) as next_ordered_on
    from {{ ref('order_lines') }} as lines
    where
        lines.is_sale
        and not coalesce(lines.is_renewal, false)
        and lines.category is not null
        and {{ day_of('lines.ordered_at') }} >= {{ cutoff_on }}
        and {{ day_of('lines.ordered_at') }} < {{ scored_on }}
),

shares as (
    select * from {{ ref('category_shares') }} where cutoff_on = {{ cutoff_on }}
),

baskets as (
    select
        purchases.customer_id,
        purchases.category,
        count(*) as n_bought
    from purchases
    inner join profiled_customers on purchases.customer_id = profiled_customers.customer_id
    -- Categories without a sale before the cut-off cannot be predicted.
    inner join shares on purchases.category = shares.category
    where purchases.ordered_on = purchases.next_ordered_on
    group by purchases.customer_id, purchases.category
),

basket_customers as (
    select distinct customer_id from baskets
),

interests as (
    select * from {{ ref('category_interest') }} where cutoff_on = {{ cutoff_on }}
),

totals as (
    select
        customer_id,
        sum(interest) as own_interest
    from interests
    group by customer_id
),

pairs as (
    select
        customer_id,
        category
    from baskets
    union distinct
    select
        interests.customer_id,
        interests.category
    from interests
    inner join basket_customers on interests.customer_id = basket_customers.customer_id
    union distinct
    select
        basket_customers.customer_id,
        shares.category
    from basket_customers
    cross join shares
    where shares.shop_rank = 1
)

select
    pairs.customer_id,
    shares.cutoff_on,
    pairs.category,
    shares.shop_share,
    cast(coalesce(interests.interest, 0) as {{ double_type() }}) as interest,
    cast(coalesce(totals.own_interest, 0) as {{ double_type() }}) as own_interest,
    coalesce(interests.n_products_bought, 0) as n_products_bought,
    cast(coalesce(baskets.n_bought, 0) as bigint) as n_bought
from pairs
inner join shares on pairs.category = shares.category
left join totals on pairs.customer_id = totals.customer_id
left join interests on pairs.customer_id = interests.customer_id and pairs.category = interests.category
left join baskets on pairs.customer_id = baskets.customer_id and pairs.category = baskets.category
