select
    subscription_id,
    customer_id as shop_customer_id,
    email,
    product_id,
    coalesce(status, case when cancelled_at is not null then 'cancelled' end, 'unknown') as subscription_status,
    interval_days,
    started_at,
    next_charge_at,
    paused_at,
    cancelled_at,
    coalesce(updated_at, started_at) as updated_at
from {{ ref('base_billing__subscriptions') }}
where reject_reason is null
