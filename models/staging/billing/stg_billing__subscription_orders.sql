select
    order_id,
    subscription_id,
    is_renewal as is_told_as_renewal
from {{ ref('base_billing__subscription_orders') }}
where reject_reason is null
