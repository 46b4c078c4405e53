-- Each step of each flow: how many enrolments came to it, and what became of them so far.
with steps as (
    select
        flow,
        step,
        cast(step_number as bigint) as step_number
    from {{ literal_rows({'flow': 'string', 'step': 'string', 'step_number': 'bigint'}, flow_steps()) }}
    where flow is not null
),

enrolments as (
    select
        flow,
        count(*) as n_enrolled,
        count(case when is_held_out then 1 end) as n_held_out,
        count(case when is_open then 1 end) as n_open
    from {{ ref('flow_enrolments') }}
    group by flow
),

-- The last decision about a step: waiting may go on for many builds.
decisions as (
    select
        enrolment_id,
        flow,
        step,
        {{ value_at_max('decision', 'decided_at', is_unique=true) }} as decision,
        {{ value_at_max("coalesce(rule, 'send')", 'decided_at', is_unique=true) }} as rule
    from {{ ref('message_decisions') }}
    where decided_at <= {{ as_of() }}
    group by enrolment_id, flow, step
),

outcomes as (
    select
        flow,
        step,
        count(*) as n_due,
        count(case when decision = 'send' then 1 end) as n_sent,
        count(case when decision = 'wait' then 1 end) as n_waiting,
        count(case when rule = 'holdout' then 1 end) as n_dropped_as_holdout,
        count(case when decision = 'drop' and rule = 'not_allowed' then 1 end) as n_not_allowed,
        count(case when decision = 'drop' and rule not in ('holdout', 'not_allowed') then 1 end) as n_dropped_otherwise
    from decisions
    group by flow, step
)

select
    steps.flow,
    steps.step,
    steps.step_number,
    cast(coalesce(enrolments.n_enrolled, 0) as bigint) as n_enrolled,
    cast(coalesce(enrolments.n_held_out, 0) as bigint) as n_held_out,
    cast(coalesce(enrolments.n_open, 0) as bigint) as n_open,
    cast(coalesce(outcomes.n_due, 0) as bigint) as n_due,
    cast(coalesce(outcomes.n_sent, 0) as bigint) as n_sent,
    cast(coalesce(outcomes.n_waiting, 0) as bigint) as n_waiting,
    cast(coalesce(outcomes.n_dropped_as_holdout, 0) as bigint) as n_dropped_as_holdout,
    cast(coalesce(outcomes.n_not_allowed, 0) as bigint) as n_not_allowed,
    cast(coalesce(outcomes.n_dropped_otherwise, 0) as bigint) as n_dropped_otherwise
from steps
left join enrolments on steps.flow = enrolments.flow
left join outcomes on steps.flow = outcomes.flow and steps.step = outcomes.step
