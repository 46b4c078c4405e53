-- All features and windows are computed from this table, so that no model above reads raw events again.
{{ config(
    materialized='incremental', incremental_strategy='replace_customers', event_time='activity_on',
    post_hook="{{ note_owners(ref('attribution_keys'), ref('attribution_changes')) }}"
) }}
{% set days = activity_days(this.identifier) if this %}
with shop_days as (
    select * from {{ ref('customer_shop_days') }}
    where {{ is_of_activity('customer_id', 'activity_on', days) }}
),

sessions_by_day as (
    select
        customer_id,
        {{ day_of('started_at') }} as activity_on,
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
    from {{ ref('web_sessions') }}
    where customer_id is not null and {{ is_of_activity('customer_id', 'started_at', days) }}
    group by 1, 2
),

profiles as (
    select
        record_id as profile_id,
        customer_id,
        count(*) over (partition by customer_id) as n_profiles
    from {{ ref('record_customers') }}
    where record_type = 'esp_profile'
),

-- Most customers have one profile. Its days need no sum, which saves memory.
emails_by_day as (
    select
        profiles.customer_id,
        days.activity_on,
        days.n_emails_sent,
        days.n_emails_delivered,
        days.n_human_opens,
        days.n_human_clicks,
        days.n_machine_events,
        days.last_human_opened_at,
        days.last_human_clicked_at
    from {{ ref('stg_esp__profile_days') }} as days
    inner join profiles on days.profile_id = profiles.profile_id
    where profiles.n_profiles = 1 and {{ is_of_activity('profiles.customer_id', 'days.activity_on', days) }}
    union all
    select
        profiles.customer_id,
        days.activity_on,
        sum(days.n_emails_sent) as n_emails_sent,
        sum(days.n_emails_delivered) as n_emails_delivered,
        sum(days.n_human_opens) as n_human_opens,
        sum(days.n_human_clicks) as n_human_clicks,
        sum(days.n_machine_events) as n_machine_events,
        max(days.last_human_opened_at) as last_human_opened_at,
        max(days.last_human_clicked_at) as last_human_clicked_at
    from {{ ref('stg_esp__profile_days') }} as days
    inner join profiles on days.profile_id = profiles.profile_id
    where profiles.n_profiles > 1 and {{ is_of_activity('profiles.customer_id', 'days.activity_on', days) }}
    group by profiles.customer_id, days.activity_on
)

-- Each part has at most one row per customer and day, so nothing needs another sum.
select
    customer_id,
    activity_on,
    cast(coalesce(n_orders, 0) as bigint) as n_orders,
    cast(coalesce(n_units, 0) as decimal(18, 4)) as n_units,
    cast(coalesce(revenue, 0) as decimal(18, 2)) as revenue,
    cast(coalesce(discount_amount, 0) as decimal(18, 2)) as discount_amount,
    cast(coalesce(n_refunds, 0) as bigint) as n_refunds,
    cast(coalesce(returned_amount, 0) as decimal(18, 2)) as returned_amount,
    cast(coalesce(n_tickets, 0) as bigint) as n_tickets,
    cast(coalesce(n_bounces, 0) as bigint) as n_bounces,
    cast(coalesce(n_emails_only_bounced, 0) as bigint) as n_emails_only_bounced,
    cast(coalesce(n_sessions, 0) as bigint) as n_sessions,
    cast(coalesce(n_page_views, 0) as bigint) as n_page_views,
    cast(coalesce(n_product_views, 0) as bigint) as n_product_views,
    cast(coalesce(n_searches, 0) as bigint) as n_searches,
    cast(coalesce(n_cart_adds, 0) as bigint) as n_cart_adds,
    cast(coalesce(n_wishlist_adds, 0) as bigint) as n_wishlist_adds,
    cast(coalesce(n_checkouts, 0) as bigint) as n_checkouts,
    cast(coalesce(n_emails_sent, 0) + coalesce(n_emails_only_bounced, 0) as bigint) as n_emails_sent,
    cast(coalesce(n_emails_delivered, 0) as bigint) as n_emails_delivered,
    cast(coalesce(n_human_opens, 0) as bigint) as n_human_opens,
    cast(coalesce(n_human_clicks, 0) as bigint) as n_human_clicks,
    cast(coalesce(n_machine_events, 0) as bigint) as n_machine_events,
    cast(days_since_previous_order as bigint) as days_since_previous_order,
    last_seen_at,
    last_cart_add_at,
    last_purchase_at,
    last_human_opened_at,
    last_human_clicked_at
from shop_days
full join sessions_by_day using (customer_id, activity_on)
full join emails_by_day using (customer_id, activity_on)
