{{ config(materialized='incremental', event_time='started_at', unique_key=['visitor_id', 'session_key']) }}
{% set days = replaced_days() %}

with events as (
    select
        *,
        {{ session_key() }} as session_key
    from {{ ref('stg_web__events') }}
    where {{ is_replaced('occurred_at', days, is_read=true) }}
),

-- Least and greatest differ if a session has several accounts or addresses, in any order.
sessions as (
    select
        visitor_id,
        session_key,
        min(shop_customer_id) as least_shop_customer_id,
        max(shop_customer_id) as greatest_shop_customer_id,
        min(email) as least_email,
        max(email) as greatest_email,
        max(utm_source) as utm_source,
        max(utm_campaign) as utm_campaign,
        count(*) as n_events,
        count(case when event_type = 'page_view' then 1 end) as n_page_views,
        count(case when event_type = 'category_view' then 1 end) as n_category_views,
        count(case when event_type = 'product_view' then 1 end) as n_product_views,
        count(case when event_type = 'search' then 1 end) as n_searches,
        count(case when event_type = 'add_to_cart' then 1 end) as n_cart_adds,
        count(case when event_type = 'add_to_wishlist' then 1 end) as n_wishlist_adds,
        count(case when event_type = 'checkout' then 1 end) as n_checkouts,
        count(case when event_type = 'purchase' then 1 end) as n_purchases,
        coalesce(max(case when has_opt_out_signal then 1 else 0 end), 0) = 1 as has_opt_out_signal,
        min(occurred_at) as started_at,
        max(occurred_at) as ended_at,
        max(case when event_type = 'add_to_cart' then occurred_at end) as last_cart_add_at,
        max(case when event_type = 'purchase' then occurred_at end) as last_purchase_at
    from events
    group by visitor_id, session_key
)

select * from sessions
where {{ is_replaced_from_to('started_at', 'ended_at', days) }}
