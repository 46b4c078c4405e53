-- A subscription belongs to the customer of its account, otherwise of its address. It is erased with an erased account.
with subscriptions as (
    select * from {{ ref('stg_billing__subscriptions') }}
),

identifiers as (
    select * from {{ ref('identifier_customers') }}
),

renewals as (
    select
        subscription_id,
        count(*) as n_renewals,
        max(ordered_at) as last_renewed_at
    from {{ ref('orders') }}
    where is_sale and is_renewal and subscription_id is not null
    group by subscription_id
),

owned_subscriptions as (
    select
        subscriptions.*,
        coalesce(accounts.customer_id, addresses.customer_id) as owner_id
    from subscriptions
    left join identifiers as accounts
        on accounts.identifier_type = 'shop_customer_id' and subscriptions.shop_customer_id = accounts.identifier
    left join identifiers as addresses
        on addresses.identifier_type = 'email' and subscriptions.email = addresses.identifier
    left join {{ ref('erased_records') }} as erased
        on erased.record_type = 'shop_customer' and subscriptions.shop_customer_id = erased.record_id
    where erased.record_id is null
)

select
    owned_subscriptions.subscription_id,
    owned_subscriptions.owner_id as customer_id,
    owned_subscriptions.product_id,
    owned_subscriptions.subscription_status,
    cast(owned_subscriptions.interval_days as bigint) as interval_days,
    cast(coalesce(renewals.n_renewals, 0) as bigint) as n_renewals,
    owned_subscriptions.started_at,
    renewals.last_renewed_at,
    case when owned_subscriptions.subscription_status in ('active', 'pending') and owned_subscriptions.next_charge_at > {{ as_of() }} then owned_subscriptions.next_charge_at end
        as next_charge_at,
    case when owned_subscriptions.subscription_status = 'paused' then owned_subscriptions.paused_at end as paused_at,
    -- Without a cancellation date, the last change is the cancellation.
    case when owned_subscriptions.subscription_status = 'cancelled' then coalesce(owned_subscriptions.cancelled_at, owned_subscriptions.updated_at) end as cancelled_at,
    owned_subscriptions.updated_at
from owned_subscriptions
left join renewals on owned_subscriptions.subscription_id = renewals.subscription_id
where owned_subscriptions.owner_id is not null
