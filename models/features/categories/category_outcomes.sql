-- What categories the next basket after the past cut-off was of, beside what was known at it.
{% set scored_on = scoring_day() %}
{% set cutoff_on = days_before(scored_on, var('churn_days')) %}
with described as (
    select customer_id
    from {{ ref('customer_features') }}
    where cutoff_on = {{ cutoff_on }}
),

bought as (
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
        bought.customer_id,
        bought.category,
        count(*) as n_bought
    from bought
    inner join described on bought.customer_id = described.customer_id
    -- What had never been sold before could not be told.
    inner join shares on bought.category = shares.category
    where bought.ordered_on = bought.next_ordered_on
    group by bought.customer_id, bought.category
),

judged as (
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
    inner join judged on interests.customer_id = judged.customer_id
    union distinct
    select
        judged.customer_id,
        shares.category
    from judged
    cross join shares
    where shares.shop_rank = 1
)

select
    pairs.customer_id,
    shares.cutoff_on,
    pairs.category,
    shares.shop_share,
    cast(coalesce(interests.interest, 0) as {{ dbt.type_float() }}) as interest,
    cast(coalesce(totals.own_interest, 0) as {{ dbt.type_float() }}) as own_interest,
    coalesce(interests.n_products_bought, 0) as n_products_bought,
    cast(coalesce(baskets.n_bought, 0) as bigint) as n_bought
from pairs
inner join shares on pairs.category = shares.category
left join totals on pairs.customer_id = totals.customer_id
left join interests on pairs.customer_id = interests.customer_id and pairs.category = interests.category
left join baskets on pairs.customer_id = baskets.customer_id and pairs.category = baskets.category
