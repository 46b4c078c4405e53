with customers as (
    select
        *,
        {{ rest_hours(var('conversion_rest_days'), 'usual_days_between_orders') }} as rest_hours
    from {{ ref('customers') }}
    where last_ordered_at > {{ date_add('day', -var('conversion_rest_days'), as_of()) }}
),

rest_periods as (
    select
        *,
        {{ date_add('hour', 'rest_hours', 'last_ordered_at') }} as until
    from customers
)

select
    customer_id,
    'promotional' as scope,
    last_ordered_at as since,
    until,
    'Ordered on ' || {{ day_text('last_ordered_at') }}
    || {{ rest_reason(var('conversion_rest_days'), 'rest_hours', 'usual_days_between_orders') }} as reason
from rest_periods
where until > {{ as_of() }}
