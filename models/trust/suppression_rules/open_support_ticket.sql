-- Who waits for an answer is not sold to.
select
    customer_id,
    'promotional' as scope,
    min(created_at) as since,
    cast(null as timestamp) as until,
    'Waits for support since ' || {{ day_text('min(created_at)') }} || '.' as reason
from {{ ref('customer_tickets') }}
where is_open
group by customer_id
