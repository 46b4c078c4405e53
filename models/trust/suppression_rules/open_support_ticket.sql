-- No promotion while a customer waits for support.
select
    customer_id,
    'promotional' as scope,
    min(created_at) as since,
    cast(null as timestamp) as until,
    'Support ticket open since ' || {{ day_text('min(created_at)') }} || '.' as reason
from {{ ref('customer_tickets') }}
where is_open
group by customer_id
