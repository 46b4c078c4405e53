-- What the rankings of the past cut-off were worth: held against the next basket of those who ordered within the horizon.
{% set scored_on = scoring_day() %}
{% set cutoff_on = days_before(scored_on, var('churn_days')) %}
with described as (
    select
        customer_id,
        n_order_days
    from {{ ref('customer_features') }}
    where cutoff_on = {{ cutoff_on }}
),

rankings as (
    select * from {{ ref('product_rankings') }}
),

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
        described.customer_id,
        described.n_order_days,
        bought.product_id
    from described
    inner join bought on described.customer_id = bought.customer_id
    where bought.ordered_on = bought.next_ordered_on
),

judged as (
    select
        customer_id,
        max(n_order_days) as n_order_days,
        count(*) as n_bought
    from baskets
    group by customer_id
),

on_sale as (
    select count(*) as n_on_sale
    from {{ ref('product_popularity') }}
    where cutoff_on = {{ cutoff_on }}
)

select
    judged.customer_id,
    {{ cutoff_on }} as cutoff_on,
    rankings.product_id,
    judged.n_order_days,
    judged.n_bought,
    rankings.blend_rank,
    rankings.personal_rank,
    rankings.popularity_rank,
    baskets.product_id is not null as was_bought,
    on_sale.n_on_sale
from judged
inner join rankings on judged.customer_id = rankings.customer_id
cross join on_sale
left join baskets on rankings.customer_id = baskets.customer_id and rankings.product_id = baskets.product_id
