{{ config(materialized='view') }}
-- Products added and not removed since the last purchase or since the cart was emptied. A customer has one cart on all devices,
-- because shops keep it with the account.
with sessions as (
    select
        visitor_id,
        session_key,
        customer_id,
        last_purchase_at
    from {{ ref('web_sessions') }}
    where customer_id is not null and ended_at >= cast({{ carts_since() }} as timestamp)
),

events as (
    select
        sessions.customer_id,
        events.event_id,
        events.product_id,
        events.event_type,
        case
            when events.event_type = 'add_to_cart' then coalesce(events.quantity, 1)
            else -abs(events.quantity)
        end as n_units,
        events.occurred_at
    from {{ ref('stg_web__cart_events') }} as events
    inner join sessions on events.visitor_id = sessions.visitor_id and events.session_key = sessions.session_key
    where events.occurred_at >= cast({{ carts_since() }} as timestamp)
),

-- A removal without a product empties the cart.
emptyings as (
    select
        customer_id,
        occurred_at as emptied_at
    from events
    where event_type = 'remove_from_cart' and product_id is null
    union all
    select
        customer_id,
        {{ latest_at('last_purchase_at') }} as emptied_at
    from sessions
    where last_purchase_at is not null
    union all
    select
        customer_id,
        {{ latest_at('ordered_at') }} as emptied_at
    from {{ ref('orders') }}
    where is_sale and ordered_at >= cast({{ carts_since() }} as timestamp)
),

last_emptyings as (
    select
        customer_id,
        max(emptied_at) as emptied_at
    from emptyings
    group by customer_id
),

-- A removal without a quantity removes all units.
events_since_emptying as (
    select
        events.customer_id,
        coalesce(events.product_id, '') as product_id,
        events.event_id,
        events.event_type,
        coalesce(
            events.n_units,
            -sum(case when events.n_units > 0 then events.n_units else 0 end) over (partition by events.customer_id, events.product_id)
        ) as n_units,
        events.occurred_at
    from events
    left join last_emptyings on events.customer_id = last_emptyings.customer_id
    where coalesce(events.occurred_at > last_emptyings.emptied_at, true)
),

-- At equal times, or on a day without a time, additions come before removals.
running_quantities as (
    select
        *,
        sum(n_units) over (
            partition by customer_id, product_id order by occurred_at, event_type, event_id
            rows between unbounded preceding and current row
        ) as n_units_so_far
    from events_since_emptying
),

-- More units may be removed than were seen added. A cart never goes below zero.
products as (
    select
        customer_id,
        product_id,
        sum(n_units) - least(min(n_units_so_far), 0) as n_units,
        max(case when n_units > 0 then occurred_at end) as added_at
    from running_quantities
    group by customer_id, product_id
)

select
    customer_id,
    count(*) as n_products,
    max(added_at) as filled_at
from products
where n_units > 0
group by customer_id
