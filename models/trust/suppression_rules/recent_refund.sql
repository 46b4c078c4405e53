with refunds as (
    select
        customer_id,
        max(refunded_at) as refunded_at
    from {{ ref('refunds') }}
    where refunded_at > {{ date_add('day', -var('refund_rest_days'), as_of()) }}
    group by customer_id
),

refund_rests as (
    select
        refunds.*,
        customers.usual_days_between_orders,
        {{ rest_hours(var('refund_rest_days'), 'customers.usual_days_between_orders') }} as rest_hours
    from refunds
    inner join {{ ref('customers') }} as customers on refunds.customer_id = customers.customer_id
),

rest_periods as (
    select
        *,
        {{ date_add('hour', 'rest_hours', 'refunded_at') }} as until
    from refund_rests
)

select
    customer_id,
    'promotional' as scope,
    refunded_at as since,
    until,
    'Received a refund on ' || {{ day_text('refunded_at') }}
    || {{ rest_reason(var('refund_rest_days'), 'rest_hours', 'usual_days_between_orders') }} as reason
from rest_periods
where until > {{ as_of() }}
