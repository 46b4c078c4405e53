select
    customer_id,
    'promotional' as scope,
    max(refunded_at) as since,
    {{ dbt.dateadd('day', var('refund_rest_days'), 'max(refunded_at)') }} as until,
    'Got money back on ' || {{ day_text('max(refunded_at)') }} || '.' as reason
from {{ ref('refunds') }}
where refunded_at > {{ dbt.dateadd('day', -var('refund_rest_days'), as_of()) }}
group by customer_id
