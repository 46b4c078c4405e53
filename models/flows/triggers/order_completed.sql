-- The shop says that the order reached the customer. Without such a status the trigger never fires.
select
    customer_id,
    order_id as subject_id,
    'order ' || order_id as subject_name,
    updated_at as happened_at,
    total_amount as amount,
    'Order ' || order_id || ' was completed on ' || {{ day_text('updated_at') }} || '.' as reason
from {{ ref('orders') }}
where
    is_sale
    and not coalesce(is_renewal, false)
    and order_status in ('{{ var("completed_order_statuses") | join("', '") }}')
    and updated_at > {{ trigger_since() }}
    and updated_at <= {{ as_of() }}
