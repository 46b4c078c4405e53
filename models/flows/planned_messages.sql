-- What this build sends, what waits, and which steps fall due in the next days. Steps after the next one are not planned: whether
-- they come depends on what happens until then.
with decisions as (
    select * from {{ ref('message_decisions') }}
    where decided_at = {{ as_of() }} and decision in ('send', 'wait')
),

messages as (
    select
        enrolment_id,
        flow,
        step,
        customer_id,
        subject_id,
        slot,
        case when decision = 'send' then 'goes_out' else 'waits' end as state,
        case when decision = 'send' then decided_at else wait_until end as send_at,
        expires_at,
        reason
    from decisions
    union all
    select
        enrolment_id,
        flow,
        step,
        customer_id,
        subject_id,
        slot,
        'planned' as state,
        due_at as send_at,
        expires_at,
        reason
    from {{ ref('flow_steps_due') }}
    where not is_due and not is_held_out and due_at <= {{ date_add('day', var('flow_outlook_days'), as_of()) }}
)

select
    messages.enrolment_id,
    messages.flow,
    messages.step,
    messages.customer_id,
    messages.subject_id,
    messages.slot,
    messages.state,
    messages.send_at,
    {{ local_time('messages.send_at', customer_zone('customers.time_zone')) }} as local_send_at,
    messages.expires_at,
    messages.reason
from messages
inner join {{ ref('customers') }} as customers on messages.customer_id = customers.customer_id
