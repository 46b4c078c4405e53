-- Each step of each flow: how many enrolments of the last days reached it, and what became of them so far.
{% set since = date_add('day', -var('flow_funnel_days'), as_of()) -%}
{% set counts = ['n_due', 'n_sent', 'n_waiting', 'n_dropped', 'n_dropped_as_holdout', 'n_dropped_as_not_allowed', 'n_dropped_as_too_late'] -%}
with steps as (
    select
        flow,
        step,
        cast(step_number as bigint) as step_number
    from {{ literal_rows({'flow': 'string', 'step': 'string', 'step_number': 'bigint'}, flow_steps()) }}
    where flow is not null
),

enrolments as (
    select * from {{ ref('flow_enrolments') }}
    where entered_at > {{ since }}
),

enrolment_counts as (
    select
        flow,
        count(*) as n_enrolled,
        count(case when is_held_out then 1 end) as n_held_out,
        count(case when is_open then 1 end) as n_open
    from enrolments
    group by flow
),

-- Waiting may go on for many builds. The last decision counts.
decisions as (
    select
        enrolment_id,
        flow,
        step,
        max(step_number) as step_number,
        {{ value_at_max('decision', 'decided_at', is_unique=true) }} as decision,
        {{ value_at_max('rule', 'decided_at', is_unique=true) }} as rule,
        {{ value_at_max('decision_id', 'decided_at', is_unique=true) }} as decision_id
    from {{ ref('message_decisions') }}
    where decided_at > {{ since }} and decided_at <= {{ as_of() }}
    group by enrolment_id, flow, step
),

last_sent_steps as (
    select
        enrolment_id,
        max(step_number) as step_number
    from decisions
    where decision = 'send'
    group by enrolment_id
),

outcomes as (
    select
        decisions.flow,
        decisions.step,
        count(*) as n_due,
        count(case when decisions.decision = 'send' then 1 end) as n_sent,
        count(case when decisions.decision = 'wait' then 1 end) as n_waiting,
        count(case when decisions.decision = 'drop' then 1 end) as n_dropped,
        count(case when decisions.rule = 'holdout' then 1 end) as n_dropped_as_holdout,
        count(case when decisions.decision = 'drop' and decisions.rule = 'not_allowed' then 1 end) as n_dropped_as_not_allowed,
        count(case when decisions.decision = 'drop' and decisions.rule not in ('holdout', 'not_allowed', 'condition', 'no_cap') then 1 end)
            as n_dropped_as_too_late,
        count(case when reported_messages.clicked_at is not null then 1 end) as n_clicked,
        count(case when enrolments.exit in ('ordered', 'subject_ordered') and last_sent_steps.enrolment_id is not null then 1 end) as n_ordered
    from decisions
    inner join enrolments on decisions.enrolment_id = enrolments.enrolment_id
    left join {{ ref('reported_messages') }} as reported_messages on decisions.decision_id = reported_messages.decision_id
    left join last_sent_steps
        on decisions.enrolment_id = last_sent_steps.enrolment_id and decisions.step_number = last_sent_steps.step_number
    group by decisions.flow, decisions.step
)

select
    steps.flow,
    steps.step,
    steps.step_number,
    cast(coalesce(enrolment_counts.n_enrolled, 0) as bigint) as n_enrolled,
    cast(coalesce(enrolment_counts.n_held_out, 0) as bigint) as n_held_out,
    cast(coalesce(enrolment_counts.n_open, 0) as bigint) as n_open,
    {% for column in counts -%}
    cast(coalesce(outcomes.{{ column }}, 0) as bigint) as {{ column }},
    {% endfor -%}
    cast(coalesce(outcomes.n_clicked, 0) as bigint) as n_clicked,
    cast(coalesce(outcomes.n_ordered, 0) as bigint) as n_ordered
from steps
left join enrolment_counts on steps.flow = enrolment_counts.flow
left join outcomes on steps.flow = outcomes.flow and steps.step = outcomes.step
