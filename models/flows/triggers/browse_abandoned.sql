-- A session of product views and nothing more. A product in the cart or a checkout is another trigger.
with sessions as (
    select
        customer_id,
        visitor_id,
        session_key,
        n_product_views,
        ended_at
    from {{ ref('web_sessions') }}
    where
        customer_id is not null
        and n_product_views >= {{ var('browse_min_product_views') }}
        and n_cart_adds = 0
        and n_checkouts = 0
        and n_purchases = 0
        and ended_at > {{ trigger_since() }}
)

select
    customer_id,
    visitor_id || '/' || session_key as subject_id,
    'the session of ' || {{ day_text('ended_at') }} as subject_name,
    ended_at as happened_at,
    cast(null as decimal(18, 2)) as amount,
    'Viewed ' || {{ counted('n_product_views', 'product page') }} || ' on ' || {{ day_text('ended_at') }}
    || ' and put nothing in the cart.' as reason
from sessions
