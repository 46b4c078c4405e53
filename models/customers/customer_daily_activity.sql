-- The compressed history: all features and windows come from here, and no model above reads raw events again.
with orders_by_day as (
    select
        customer_id,
        cast(ordered_at as date) as activity_on,
        count(*) as n_orders,
        sum(n_units) as n_units,
        sum(net_amount) as revenue,
        sum(discount_amount) as discount_amount
    from {{ ref('orders') }}
    where is_sale
    group by 1, 2
),

refunds_by_day as (
    select
        customer_id,
        cast(refunded_at as date) as activity_on,
        count(*) as n_refunds,
        sum(refund_amount) as refund_amount
    from {{ ref('refunds') }}
    where is_sale
    group by 1, 2
),

visits_by_day as (
    select
        customer_id,
        cast(started_at as date) as activity_on,
        count(*) as n_sessions,
        sum(n_page_views) as n_page_views,
        sum(n_product_views) as n_product_views,
        sum(n_searches) as n_searches,
        sum(n_cart_adds) as n_cart_adds,
        sum(n_wishlist_adds) as n_wishlist_adds,
        sum(n_checkouts) as n_checkouts,
        max(ended_at) as last_seen_at,
        max(last_cart_add_at) as last_cart_add_at,
        max(last_purchase_at) as last_purchase_at
    from {{ ref('web_visits') }}
    where customer_id is not null
    group by 1, 2
),

emails_by_day as (
    select
        customer_id,
        cast(occurred_at as date) as activity_on,
        count(case when event_type = 'sent' then 1 end) as n_emails_sent,
        count(case when event_type = 'delivered' then 1 end) as n_emails_delivered,
        count(case when event_type = 'bounced' then 1 end) as n_bounces,
        count(case when event_type = 'opened' and not is_machine then 1 end) as n_human_opens,
        count(case when event_type = 'clicked' and not is_machine then 1 end) as n_human_clicks,
        count(case when is_machine then 1 end) as n_machine_events,
        max(case when event_type = 'opened' and not is_machine then occurred_at end) as last_human_opened_at,
        max(case when event_type = 'clicked' and not is_machine then occurred_at end) as last_human_clicked_at
    from {{ ref('email_events') }}
    group by 1, 2
),

tickets_by_day as (
    select
        customer_id,
        cast(created_at as date) as activity_on,
        count(*) as n_tickets
    from {{ ref('customer_tickets') }}
    group by 1, 2
),

all_days as (
    select
        customer_id,
        activity_on,
        n_orders,
        n_units,
        revenue,
        discount_amount,
        0 as n_refunds,
        0 as refund_amount,
        0 as n_sessions,
        0 as n_page_views,
        0 as n_product_views,
        0 as n_searches,
        0 as n_cart_adds,
        0 as n_wishlist_adds,
        0 as n_checkouts,
        0 as n_emails_sent,
        0 as n_emails_delivered,
        0 as n_bounces,
        0 as n_human_opens,
        0 as n_human_clicks,
        0 as n_machine_events,
        0 as n_tickets,
        cast(null as {{ dbt.type_timestamp() }}) as last_seen_at,
        cast(null as {{ dbt.type_timestamp() }}) as last_cart_add_at,
        cast(null as {{ dbt.type_timestamp() }}) as last_purchase_at,
        cast(null as {{ dbt.type_timestamp() }}) as last_human_opened_at,
        cast(null as {{ dbt.type_timestamp() }}) as last_human_clicked_at
    from orders_by_day
    union all
    select
        customer_id,
        activity_on,
        0 as n_orders,
        0 as n_units,
        0 as revenue,
        0 as discount_amount,
        n_refunds,
        refund_amount,
        0 as n_sessions,
        0 as n_page_views,
        0 as n_product_views,
        0 as n_searches,
        0 as n_cart_adds,
        0 as n_wishlist_adds,
        0 as n_checkouts,
        0 as n_emails_sent,
        0 as n_emails_delivered,
        0 as n_bounces,
        0 as n_human_opens,
        0 as n_human_clicks,
        0 as n_machine_events,
        0 as n_tickets,
        cast(null as {{ dbt.type_timestamp() }}) as last_seen_at,
        cast(null as {{ dbt.type_timestamp() }}) as last_cart_add_at,
        cast(null as {{ dbt.type_timestamp() }}) as last_purchase_at,
        cast(null as {{ dbt.type_timestamp() }}) as last_human_opened_at,
        cast(null as {{ dbt.type_timestamp() }}) as last_human_clicked_at
    from refunds_by_day
    union all
    select
        customer_id,
        activity_on,
        0 as n_orders,
        0 as n_units,
        0 as revenue,
        0 as discount_amount,
        0 as n_refunds,
        0 as refund_amount,
        n_sessions,
        n_page_views,
        n_product_views,
        n_searches,
        n_cart_adds,
        n_wishlist_adds,
        n_checkouts,
        0 as n_emails_sent,
        0 as n_emails_delivered,
        0 as n_bounces,
        0 as n_human_opens,
        0 as n_human_clicks,
        0 as n_machine_events,
        0 as n_tickets,
        last_seen_at,
        last_cart_add_at,
        last_purchase_at,
        cast(null as {{ dbt.type_timestamp() }}) as last_human_opened_at,
        cast(null as {{ dbt.type_timestamp() }}) as last_human_clicked_at
    from visits_by_day
    union all
    select
        customer_id,
        activity_on,
        0 as n_orders,
        0 as n_units,
        0 as revenue,
        0 as discount_amount,
        0 as n_refunds,
        0 as refund_amount,
        0 as n_sessions,
        0 as n_page_views,
        0 as n_product_views,
        0 as n_searches,
        0 as n_cart_adds,
        0 as n_wishlist_adds,
        0 as n_checkouts,
        n_emails_sent,
        n_emails_delivered,
        n_bounces,
        n_human_opens,
        n_human_clicks,
        n_machine_events,
        0 as n_tickets,
        cast(null as {{ dbt.type_timestamp() }}) as last_seen_at,
        cast(null as {{ dbt.type_timestamp() }}) as last_cart_add_at,
        cast(null as {{ dbt.type_timestamp() }}) as last_purchase_at,
        last_human_opened_at,
        last_human_clicked_at
    from emails_by_day
    union all
    select
        customer_id,
        activity_on,
        0 as n_orders,
        0 as n_units,
        0 as revenue,
        0 as discount_amount,
        0 as n_refunds,
        0 as refund_amount,
        0 as n_sessions,
        0 as n_page_views,
        0 as n_product_views,
        0 as n_searches,
        0 as n_cart_adds,
        0 as n_wishlist_adds,
        0 as n_checkouts,
        0 as n_emails_sent,
        0 as n_emails_delivered,
        0 as n_bounces,
        0 as n_human_opens,
        0 as n_human_clicks,
        0 as n_machine_events,
        n_tickets,
        cast(null as {{ dbt.type_timestamp() }}) as last_seen_at,
        cast(null as {{ dbt.type_timestamp() }}) as last_cart_add_at,
        cast(null as {{ dbt.type_timestamp() }}) as last_purchase_at,
        cast(null as {{ dbt.type_timestamp() }}) as last_human_opened_at,
        cast(null as {{ dbt.type_timestamp() }}) as last_human_clicked_at
    from tickets_by_day
)

select
    customer_id,
    activity_on,
    cast(sum(n_orders) as bigint) as n_orders,
    cast(sum(n_units) as bigint) as n_units,
    cast(sum(revenue) as decimal(18, 2)) as revenue,
    cast(sum(discount_amount) as decimal(18, 2)) as discount_amount,
    cast(sum(n_refunds) as bigint) as n_refunds,
    cast(sum(refund_amount) as decimal(18, 2)) as refund_amount,
    cast(sum(n_sessions) as bigint) as n_sessions,
    cast(sum(n_page_views) as bigint) as n_page_views,
    cast(sum(n_product_views) as bigint) as n_product_views,
    cast(sum(n_searches) as bigint) as n_searches,
    cast(sum(n_cart_adds) as bigint) as n_cart_adds,
    cast(sum(n_wishlist_adds) as bigint) as n_wishlist_adds,
    cast(sum(n_checkouts) as bigint) as n_checkouts,
    cast(sum(n_emails_sent) as bigint) as n_emails_sent,
    cast(sum(n_emails_delivered) as bigint) as n_emails_delivered,
    cast(sum(n_bounces) as bigint) as n_bounces,
    cast(sum(n_human_opens) as bigint) as n_human_opens,
    cast(sum(n_human_clicks) as bigint) as n_human_clicks,
    cast(sum(n_machine_events) as bigint) as n_machine_events,
    cast(sum(n_tickets) as bigint) as n_tickets,
    max(last_seen_at) as last_seen_at,
    max(last_cart_add_at) as last_cart_add_at,
    max(last_purchase_at) as last_purchase_at,
    max(last_human_opened_at) as last_human_opened_at,
    max(last_human_clicked_at) as last_human_clicked_at
from all_days
group by customer_id, activity_on
