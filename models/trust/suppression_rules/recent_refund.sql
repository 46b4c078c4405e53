with refunds as (
    select
        customer_id,
        max(refunded_at) as refunded_at
    from {{ ref('refunds') }}
    where refunded_at > {{ dbt.dateadd('day', -var('refund_rest_days'), as_of()) }}
    group by customer_id
),

resting as (
    select
        refunds.*,
        customers.usual_days_between_orders,
        {{ rest_hours(var('refund_rest_days'), 'customers.usual_days_between_orders') }} as rest_hours
    from refunds
    inner join {{ ref('customers') }} as customers on refunds.customer_id = customers.customer_id
),

dated as (
    select
        *,
        {{ dbt.dateadd('hour', 'rest_hours', 'refunded_at') }} as until
    from resting
)

select
    customer_id,
    'promotional' as scope,
    refunded_at as since,
    until,
    'Got money back on ' || {{ day_text('refunded_at') }}
    || {{ rest_reason(var('refund_rest_days'), 'rest_hours', 'usual_days_between_orders') }} as reason
from dated
where until > {{ as_of() }}
