-- Visits are attributed as web_visits does it.
with visits as (
    select
        visitor_id,
        session_key,
        customer_id
    from {{ ref('web_visits') }}
    where customer_id is not null and ended_at >= cast({{ looked_since() }} as timestamp)
),

looks as (
    select * from {{ ref('stg_web__product_days') }}
    where looked_on >= {{ looked_since() }}
)

select
    visits.customer_id,
    looks.product_id,
    looks.looked_on,
    cast(sum(looks.n_views) as bigint) as n_views,
    cast(sum(looks.n_cart_adds) as bigint) as n_cart_adds,
    cast(sum(looks.n_wishlist_adds) as bigint) as n_wishlist_adds,
    min(looks.first_looked_at) as first_looked_at,
    max(looks.last_looked_at) as last_looked_at
from looks
inner join visits on looks.visitor_id = visits.visitor_id and looks.session_key = visits.session_key
group by visits.customer_id, looks.product_id, looks.looked_on
