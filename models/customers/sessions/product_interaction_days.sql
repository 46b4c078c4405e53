-- Attribution of sessions: web_sessions.
with sessions as (
    select
        visitor_id,
        session_key,
        customer_id
    from {{ ref('web_sessions') }}
    where customer_id is not null and ended_at >= cast({{ viewed_since() }} as timestamp)
),

interactions as (
    select * from {{ ref('stg_web__product_days') }}
    where viewed_on >= {{ viewed_since() }}
)

select
    sessions.customer_id,
    interactions.product_id,
    interactions.viewed_on,
    cast(sum(interactions.n_views) as bigint) as n_views,
    cast(sum(interactions.n_cart_adds) as bigint) as n_cart_adds,
    cast(sum(interactions.n_wishlist_adds) as bigint) as n_wishlist_adds,
    min(interactions.first_viewed_at) as first_viewed_at,
    max(interactions.last_viewed_at) as last_viewed_at
from interactions
inner join sessions on interactions.visitor_id = sessions.visitor_id and interactions.session_key = sessions.session_key
group by sessions.customer_id, interactions.product_id, interactions.viewed_on
