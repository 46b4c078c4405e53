-- All features and windows are computed from this table, so that no model above reads raw events again.
{{ config(
    materialized='incremental', incremental_strategy='replace_customers', event_time='activity_on',
    post_hook="{{ note_owners(ref('attribution_keys'), ref('attribution_changes')) }}"
) }}
{% set days = activity_days(this.identifier) if this %}
{% set by_day = {
    'shop_days': [
        'n_orders', 'n_units', 'revenue', 'discount_amount', 'days_since_previous_order', 'n_refunds', 'returned_amount',
        'n_tickets', 'n_bounces', 'n_emails_only_bounced'
    ],
    'sessions_by_day': [
        'n_sessions', 'n_page_views', 'n_product_views', 'n_searches', 'n_cart_adds', 'n_wishlist_adds',
        'n_checkouts', 'last_seen_at', 'last_cart_add_at', 'last_purchase_at'
    ],
    'emails_by_day': [
        'n_emails_sent', 'n_emails_delivered', 'n_human_opens', 'n_human_clicks', 'n_machine_events',
        'last_human_opened_at', 'last_human_clicked_at'
    ]
} %}
{% set decimals = {'n_units': 4, 'revenue': 2, 'discount_amount': 2, 'returned_amount': 2} %}
{% set columns = by_day.values() | sum(start=[]) %}
{% set times = [] %}
{% for column in columns if column.endswith('_at') %}{% do times.append(column) %}{% endfor %}
{% set email_sums = [] %}
{% for column in by_day.emails_by_day %}
{% do email_sums.append(('max' if column in times else 'sum') ~ '(days.' ~ column ~ ') as ' ~ column) %}
{% endfor %}
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
        days.{{ by_day.emails_by_day | join(',\n        days.') }}
    from {{ ref('stg_esp__profile_days') }} as days
    inner join profiles on days.profile_id = profiles.profile_id
    where profiles.n_profiles = 1 and {{ is_of_activity('profiles.customer_id', 'days.activity_on', days) }}
    union all
    select
        profiles.customer_id,
        days.activity_on,
        {{ email_sums | join(',\n        ') }}
    from {{ ref('stg_esp__profile_days') }} as days
    inner join profiles on days.profile_id = profiles.profile_id
    where profiles.n_profiles > 1 and {{ is_of_activity('profiles.customer_id', 'days.activity_on', days) }}
    group by profiles.customer_id, days.activity_on
)

-- Each part has at most one row per customer and day, so nothing needs another sum.
select
    customer_id,
    activity_on,
    {% for column in columns if column not in times and column != 'days_since_previous_order' -%}
    cast(coalesce({{ column }}, 0){{ ' + coalesce(n_emails_only_bounced, 0)' if column == 'n_emails_sent' }} as {{ 'decimal(18, ' ~ decimals[column] ~ ')' if column in decimals else 'bigint' }}) as {{ column }},
    {% endfor -%}
    cast(days_since_previous_order as bigint) as days_since_previous_order,
    {{ times | join(',\n    ') }}
from shop_days
{% for part in by_day if part != 'shop_days' -%}
full join {{ part }} using (customer_id, activity_on)
{% endfor %}
