-- The one pass over the newer web events that asks for the product; visits are attributed as web_visits does it.
{% set looked_since = dbt.dateadd('day', -(var('interest_days') + var('churn_days') + 1), as_of()) %}
with visits as (
    select
        visitor_id,
        session_key,
        customer_id
    from {{ ref('web_visits') }}
    where customer_id is not null and ended_at >= {{ looked_since }}
),

events as (
    select
        visitor_id,
        coalesce(session_id, cast(cast(occurred_at as date) as {{ dbt.type_string() }})) as session_key,
        product_id,
        event_type,
        occurred_at
    from {{ ref('stg_web__events') }}
    where
        product_id is not null
        and event_type in ('product_view', 'add_to_cart', 'add_to_wishlist')
        and occurred_at >= {{ looked_since }}
)

select
    visits.customer_id,
    events.product_id,
    cast(events.occurred_at as date) as looked_on,
    count(case when events.event_type = 'product_view' then 1 end) as n_views,
    count(case when events.event_type = 'add_to_cart' then 1 end) as n_cart_adds,
    count(case when events.event_type = 'add_to_wishlist' then 1 end) as n_wishlist_adds,
    min(events.occurred_at) as first_looked_at,
    max(events.occurred_at) as last_looked_at
from events
inner join visits on events.visitor_id = visits.visitor_id and events.session_key = visits.session_key
group by visits.customer_id, events.product_id, cast(events.occurred_at as date)
