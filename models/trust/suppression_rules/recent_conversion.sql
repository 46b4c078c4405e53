select
    customer_id,
    'promotional' as scope,
    last_ordered_at as since,
    {{ dbt.dateadd('day', var('conversion_rest_days'), 'last_ordered_at') }} as until,
    'Ordered on ' || {{ day_text('last_ordered_at') }} || '.' as reason
from {{ ref('customers') }}
where last_ordered_at > {{ dbt.dateadd('day', -var('conversion_rest_days'), as_of()) }}
