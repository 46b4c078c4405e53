-- Sessions are attributed as web_sessions does it.
with sessions as (
    select
        visitor_id,
        session_key,
        customer_id
    from {{ ref('web_sessions') }}
    where customer_id is not null and ended_at >= cast({{ viewed_since() }} as timestamp)
),

looks as (
    select * from {{ ref('stg_web__product_days') }}
    where viewed_on >= {{ viewed_since() }}
)

select
    sessions.customer_id,
    looks.product_id,
    looks.viewed_on,
    cast(sum(looks.n_views) as bigint) as n_views,
    cast(sum(looks.n_cart_adds) as bigint) as n_cart_adds,
    cast(sum(looks.n_wishlist_adds) as bigint) as n_wishlist_adds,
    min(looks.first_viewed_at) as first_viewed_at,
    max(looks.last_viewed_at) as last_viewed_at
from looks
inner join sessions on looks.visitor_id = sessions.visitor_id and looks.session_key = sessions.session_key
group by sessions.customer_id, looks.product_id, looks.viewed_on
