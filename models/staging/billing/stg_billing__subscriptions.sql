-- The words of Recharge, Appstle and Shopify, WooCommerce Subscriptions, Stripe Billing and Chargebee. One that none of them
-- has is unknown: such a subscription counts neither as running nor as cancelled.
{% set words = {
    'active': ['active', 'trialing', 'trial', 'in_trial', 'live'],
    'paused': ['paused', 'on_hold', 'past_due', 'unpaid', 'failed', 'stale', 'suspended'],
    'pending': ['pending', 'future', 'incomplete', 'scheduled', 'draft'],
    'cancelled': ['cancelled', 'canceled', 'pending_cancel', 'pending_cancellation', 'non_renewing', 'churned'],
    'expired': ['expired', 'incomplete_expired', 'completed', 'ended', 'switched', 'transferred'],
} %}
with subscriptions as (
    select
        *,
        {{ replace_pattern(replace_pattern('lower(trim(status))', '[^a-z]+', '_') | trim, '^wc_') | trim }} as status_word
    from {{ ref('base_billing__subscriptions') }}
    where reject_reason is null
)

select
    subscription_id,
    customer_id as shop_customer_id,
    email,
    product_id,
    case
        {% for status, spellings in words.items() -%}
        when status_word in ('{{ spellings | join("', '") }}') then '{{ status }}'
        {% endfor -%}
        when status is null and cancelled_at is not null then 'cancelled'
        else 'unknown'
    end as subscription_status,
    interval_days,
    started_at,
    next_charge_at,
    paused_at,
    cancelled_at,
    coalesce(updated_at, started_at) as updated_at
from subscriptions
