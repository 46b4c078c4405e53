{{ config(materialized='view') }}
-- A session counts for the customer of the device. On a shared device it counts for the customer who was logged in.
with sessions as (
    select * from {{ ref('stg_web__sessions') }}
),

visitors as (
    select * from {{ ref('visitor_customers') }}
),

accounts as (
    select
        identifier as shop_customer_id,
        customer_id
    from {{ ref('identifier_customers') }}
    where identifier_type = 'shop_customer_id'
)

select
    sessions.visitor_id,
    sessions.session_key,
    coalesce(
        visitors.customer_id,
        accounts.customer_id
        {%- if var('keep_anonymous_visitors') %},
        case when visitors.n_customers = 0 then {{ mint_customer_id("'web_visitor:' || sessions.visitor_id") }} end
        {%- endif %}
    ) as customer_id,
    sessions.utm_source,
    sessions.utm_campaign,
    sessions.n_events,
    sessions.n_page_views,
    sessions.n_product_views,
    sessions.n_searches,
    sessions.n_cart_adds,
    sessions.n_wishlist_adds,
    sessions.n_checkouts,
    sessions.n_purchases,
    sessions.has_opt_out_signal,
    sessions.started_at,
    sessions.ended_at,
    sessions.last_cart_add_at,
    sessions.last_purchase_at
from sessions
inner join visitors on sessions.visitor_id = visitors.visitor_id
left join accounts
    on
        sessions.least_shop_customer_id = sessions.greatest_shop_customer_id
        and sessions.greatest_shop_customer_id = accounts.shop_customer_id
