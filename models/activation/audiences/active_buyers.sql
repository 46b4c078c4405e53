select
    customer_id,
    reason
from {{ ref('segment_memberships') }}
where segment in ('first_time_buyer', 'second_order_window', 'active')
