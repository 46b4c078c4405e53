-- What each customer takes an interest in: bought, or looked at by those who agreed to be watched. A sign counts for
-- less the older it is; what is bought again fades more slowly than what is looked at.
{% set scored_on = scoring_day() %}
{% set points = var('interest_points') %}
with described as (
    select
        customer_id,
        cutoff_on,
        is_scoring,
        may_watch
    from {{ ref('customer_features') }}
    where is_scoring or cutoff_on = {{ days_before(scored_on, var('churn_days')) }}
),

signs as (
    select distinct
        customer_id,
        product_id,
        {{ day_of('ordered_at') }} as signed_on,
        'bought' as sign,
        {{ points['purchase'] }} as points
    from {{ ref('order_lines') }}
    where is_sale and not coalesce(is_renewal, false) and product_id is not null
    union all
    select
        customer_id,
        product_id,
        viewed_on as signed_on,
        'viewed' as sign,
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
        {{ day_of('refunded_at') }} as signed_on,
        'given_back' as sign,
        0 as points
    from {{ ref('refunds') }}
    where product_id is not null
),

known as (
    select
        described.customer_id,
        described.cutoff_on,
        described.is_scoring,
        signs.product_id,
        signs.signed_on,
        signs.sign,
        cast(
            signs.points * power(
                0.5,
                cast({{ dbt.datediff('signs.signed_on', 'described.cutoff_on', 'day') }} as {{ dbt.type_float() }})
                / case
                    when signs.sign = 'viewed' then {{ var('interest_half_life_days') }}
                    else {{ var('purchase_half_life_days') }}
                end
            ) as decimal(18, 8)
        ) as interest
    from described
    inner join signs
        on described.customer_id = signs.customer_id and signs.signed_on < described.cutoff_on
    where
        signs.sign <> 'viewed'
        or (described.may_watch and signs.signed_on >= {{ days_before('described.cutoff_on', var('interest_days')) }})
),

-- A day with ten products is one occasion, as one with a single product is.
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
        from known
        group by customer_id, cutoff_on, signed_on
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
        count(case when sign = 'bought' then 1 end) as n_days_bought,
        count(case when sign = 'viewed' then 1 end) as n_days_viewed,
        max(case when sign = 'bought' then signed_on end) as last_bought_on,
        count(case when sign = 'given_back' then 1 end) as n_days_given_back
    from known
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
    -- Who keeps what they bought another time likes it.
    by_product.n_days_given_back > 0 and by_product.n_days_given_back >= by_product.n_days_bought as was_given_back,
    by_product.interest,
    cast(
        case
            when by_product.interest > 0 then least(cast(by_product.interest as {{ dbt.type_float() }}) / cast(occasions.interest as {{ dbt.type_float() }}), 1)
            else 0
        end as decimal(18, 8)
    ) as interest_share
from by_product
inner join occasions
    on by_product.customer_id = occasions.customer_id and by_product.cutoff_on = occasions.cutoff_on
