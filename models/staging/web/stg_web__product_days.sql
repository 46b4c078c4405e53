-- Product interactions by session and day, for as long as a later model needs them.
{{ config(materialized='incremental', event_time='viewed_on') }}
select
    visitor_id,
    {{ session_key() }} as session_key,
    product_id,
    {{ day_of('occurred_at') }} as viewed_on,
    count(case when event_type = 'product_view' then 1 end) as n_views,
    count(case when event_type = 'add_to_cart' then 1 end) as n_cart_adds,
    count(case when event_type = 'add_to_wishlist' then 1 end) as n_wishlist_adds,
    min(occurred_at) as first_viewed_at,
    max(occurred_at) as last_viewed_at
from {{ ref('stg_web__events') }}
where
    product_id is not null
    and event_type in ('product_view', 'add_to_cart', 'add_to_wishlist')
    and occurred_at >= cast({{ viewed_since() }} as timestamp)
    and {{ is_replaced('occurred_at', replaced_days()) }}
group by 1, 2, 3, 4
