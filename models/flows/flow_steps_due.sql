-- The next step of each open enrolment: the first one without a decision to send or to drop it.
with steps as (
    select * from {{ literal_rows({
        'flow': 'string', 'step': 'string', 'step_number': 'bigint', 'after_step': 'string', 'delay_hours': 'bigint', 'slot': 'string',
        'has_offer': 'boolean'
    }, flow_steps()) }}
),

enrolments as (
    select
        enrolments.*,
        flows.send_at,
        flows.shelf_life_hours
    from {{ ref('flow_enrolments') }} as enrolments
    inner join {{ ref('flow_catalog') }} as flows on enrolments.flow = flows.flow
    where enrolments.is_open
),

finished_steps as (
    select
        enrolment_id,
        step,
        min(decided_at) as finished_at
    from {{ ref('past_decisions') }}
    where decision in ('send', 'drop')
    group by enrolment_id, step
),

open_steps as (
    select
        enrolments.*,
        steps.step,
        cast(steps.step_number as bigint) as step_number,
        steps.slot,
        coalesce(steps.has_offer, false) as has_offer,
        {{ date_add('hour', 'steps.delay_hours', 'coalesce(earlier_steps.finished_at, enrolments.triggered_at)') }} as delayed_until,
        row_number() over (partition by enrolments.enrolment_id order by steps.step_number) as place
    from enrolments
    inner join steps on enrolments.flow = steps.flow
    left join finished_steps on enrolments.enrolment_id = finished_steps.enrolment_id and steps.step = finished_steps.step
    left join finished_steps as earlier_steps
        on enrolments.enrolment_id = earlier_steps.enrolment_id and steps.after_step = earlier_steps.step
    where finished_steps.step is null
),

-- The customer's own hour, if the flow waits for it: the first one at or after the delay, by their own clock.
local_steps as (
    select
        open_steps.*,
        {{ customer_zone('customers.time_zone') }} as time_zone,
        case when open_steps.send_at = 'own_hour' then send_times.best_hour end as own_hour,
        {{ local_time('open_steps.delayed_until', customer_zone('customers.time_zone')) }} as local_at
    from open_steps
    inner join {{ ref('customers') }} as customers on open_steps.customer_id = customers.customer_id
    left join {{ ref('send_time_scores') }} as send_times on open_steps.customer_id = send_times.customer_id
    where open_steps.place = 1
),

own_times as (
    select
        *,
        {{ date_add('hour', 'own_hour', 'cast(cast(local_at as date) as timestamp)') }} as today_at,
        {{ date_add('hour', 'own_hour + 24', 'cast(cast(local_at as date) as timestamp)') }} as tomorrow_at
    from local_steps
),

due_times as (
    select
        *,
        case
            when own_hour is null then delayed_until
            else {{ utc_time('case when today_at >= local_at then today_at else tomorrow_at end', 'time_zone') }}
        end as due_at
    from own_times
)

select
    enrolment_id,
    flow,
    step,
    step_number,
    customer_id,
    subject_id,
    subject_name,
    amount,
    slot,
    has_offer,
    is_held_out,
    triggered_at,
    due_at,
    {{ date_add('hour', 'shelf_life_hours', 'due_at') }} as expires_at,
    due_at <= {{ as_of() }} as is_due,
    reason
from due_times
