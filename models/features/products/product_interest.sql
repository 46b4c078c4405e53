-- Each customer's interest by product: purchases, and interactions of customers who agreed to profiling. Older signals
-- count for less. Purchases fade more slowly than interactions.
-- Longer than 120 lines because purchases, interactions and returns come from three tables.
{% set scored_on = scoring_day() %}
{% set points = var('interest_points') %}
with customer_cutoffs as (
    select
        customer_id,
        cutoff_on,
        is_scoring,
        may_watch
    from {{ ref('customer_features') }}
    where is_scoring or cutoff_on = {{ days_before(scored_on, var('churn_days')) }}
),

signals as (
    select distinct
        customer_id,
        product_id,
        {{ day_of('ordered_at') }} as signal_on,
        'bought' as signal_kind,
        {{ points['purchase'] }} as points
    from {{ ref('order_lines') }}
    where is_sale and not coalesce(is_renewal, false) and product_id is not null
    union all
    select
        customer_id,
        product_id,
        viewed_on as signal_on,
        'viewed' as signal_kind,
        case
            when n_cart_adds > 0 then {{ points['add_to_cart'] }}
            when n_wishlist_adds > 0 then {{ points['add_to_wishlist'] }}
            else {{ points['product_view'] }}
        end as points
    from {{ ref('product_interaction_days') }}
    union all
    select distinct
        customer_id,
        product_id,
        {{ day_of('refunded_at') }} as signal_on,
        'given_back' as signal_kind,
        0 as points
    from {{ ref('refunds') }}
    where product_id is not null
),

known_signals as (
    select
        customer_cutoffs.customer_id,
        customer_cutoffs.cutoff_on,
        customer_cutoffs.is_scoring,
        signals.product_id,
        signals.signal_on,
        signals.signal_kind,
        cast(
            signals.points * power(
                0.5,
                cast({{ date_diff('signals.signal_on', 'customer_cutoffs.cutoff_on', 'day') }} as {{ double_type() }})
                / case
                    when signals.signal_kind = 'viewed' then {{ var('interest_half_life_days') }}
                    else {{ var('purchase_half_life_days') }}
                end
            ) as decimal(18, 8)
        ) as interest
    from customer_cutoffs
    inner join signals
        on customer_cutoffs.customer_id = signals.customer_id and signals.signal_on < customer_cutoffs.cutoff_on
    where
        signals.signal_kind <> 'viewed'
        or (customer_cutoffs.may_watch and signals.signal_on >= {{ days_before('customer_cutoffs.cutoff_on', var('interest_days')) }})
),

-- A day counts once, whether the customer showed interest in one product or in ten.
occasions as (
    select
        customer_id,
        cutoff_on,
        sum(interest) as interest
    from (
        select
            customer_id,
            cutoff_on,
            max(interest) as interest
        from known_signals
        group by customer_id, cutoff_on, signal_on
    ) as days
    group by customer_id, cutoff_on
),

by_product as (
    select
        customer_id,
        cutoff_on,
        is_scoring,
        product_id,
        sum(interest) as interest,
        count(case when signal_kind = 'bought' then 1 end) as n_days_bought,
        count(case when signal_kind = 'viewed' then 1 end) as n_days_viewed,
        max(case when signal_kind = 'bought' then signal_on end) as last_bought_on,
        count(case when signal_kind = 'given_back' then 1 end) as n_days_given_back
    from known_signals
    group by customer_id, cutoff_on, is_scoring, product_id
)

select
    by_product.customer_id,
    by_product.cutoff_on,
    by_product.is_scoring,
    by_product.product_id,
    by_product.n_days_bought,
    by_product.n_days_viewed,
    by_product.last_bought_on,
    -- A customer who kept the product from another purchase likes it.
    by_product.n_days_given_back > 0 and by_product.n_days_given_back >= by_product.n_days_bought as was_given_back,
    by_product.interest,
    cast(
        case
            when by_product.interest > 0 then least(cast(by_product.interest as {{ double_type() }}) / cast(occasions.interest as {{ double_type() }}), 1)
            else 0
        end as decimal(18, 8)
    ) as interest_share
from by_product
inner join occasions
    on by_product.customer_id = occasions.customer_id and by_product.cutoff_on = occasions.cutoff_on
