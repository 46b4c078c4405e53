select
    customer_id,
    order_id as subject_id,
    'order ' || order_id as subject_name,
    ordered_at as happened_at,
    total_amount as amount,
    'Ordered for ' || {{ money_text('total_amount') }} || ' on ' || {{ day_text('ordered_at') }} || '.' as reason
from {{ ref('orders') }}
where is_sale and not coalesce(is_renewal, false) and ordered_at > {{ trigger_since() }}
