-- A subscription is of its account's customer, or else of whom its address leads to; with an erased person's account it is gone.
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

owned as (
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
    owned.subscription_id,
    owned.owner_id as customer_id,
    owned.product_id,
    owned.subscription_status,
    cast(owned.interval_days as bigint) as interval_days,
    cast(coalesce(renewals.n_renewals, 0) as bigint) as n_renewals,
    owned.started_at,
    renewals.last_renewed_at,
    case when owned.subscription_status in ('active', 'pending') and owned.next_charge_at > {{ as_of() }} then owned.next_charge_at end
        as next_charge_at,
    case when owned.subscription_status = 'paused' then owned.paused_at end as paused_at,
    -- One that names no day was cancelled when it was last changed.
    case when owned.subscription_status = 'cancelled' then coalesce(owned.cancelled_at, owned.updated_at) end as cancelled_at,
    owned.updated_at
from owned
left join renewals on owned.subscription_id = renewals.subscription_id
where owned.owner_id is not null
