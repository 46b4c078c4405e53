select
    request_id,
    email,
    phone,
    customer_id as shop_customer_id,
    request_type,
    status as request_status,
    received_at,
    completed_at
from {{ ref('base_privacy__requests') }}
where reject_reason is null
