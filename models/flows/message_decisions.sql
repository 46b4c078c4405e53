-- Append-only ledger: one row per due step and build, with the first rule that decided it.
-- Longer than 120 lines because the rules are one list in order, and each CTE before it gives a fact to one of them.
{{ config(materialized='incremental', incremental_strategy='replace_moment', event_time='decided_at', full_refresh=false) }}

{% set first_hour, last_hour = var('send_hours') %}
with steps_due as (
    select
        due.*,
        flows.message_class,
        flows.purpose,
        flows.priority,
        flows.is_abandon,
        case due.flow || '/' || due.step
            {%- for step in flow_steps() %}
            when '{{ step.flow }}/{{ step.step }}' then {{ step_condition(step.only_if, 'customers') }}
            {%- endfor %}
            when '' then false
        end as is_condition_met,
        customers.time_zone,
        {{ local_time(as_of(), 'customers.time_zone') }} as local_now,
        coalesce(contacts.is_allowed, false) as is_allowed,
        contacts.opens_at,
        coalesce(contacts.reason, 'No permission on record.') as contact_reason,
        tiers.weekly_cap
    from {{ ref('flow_steps_due') }} as due
    inner join {{ ref('flow_catalog') }} as flows on due.flow = flows.flow
    inner join {{ ref('customers') }} as customers on due.customer_id = customers.customer_id
    left join {{ ref('contactability') }} as contacts
        on
            due.customer_id = contacts.customer_id
            and flows.message_class = contacts.message_class
            and contacts.channel = 'email'
    left join {{ ref('engagement_tiers') }} as tiers on due.customer_id = tiers.customer_id
),

-- A cap below one a week counts over as many days as one message takes.
messages as (
    select
        messages.customer_id,
        max(messages.sent_at) as last_sent_at,
        max(case when messages.is_abandon then messages.sent_at end) as last_abandon_at,
        count(case
            when
                messages.counts
                and messages.sent_at > {{ date_add('hour', '-cast(168 / least(coalesce(tiers.weekly_cap, 1), 1) as integer)', as_of()) }}
                then 1
        end) as n_in_window,
        min(case
            when
                messages.counts
                and messages.sent_at > {{ date_add('hour', '-cast(168 / least(coalesce(tiers.weekly_cap, 1), 1) as integer)', as_of()) }}
                then messages.sent_at
        end) as first_in_window_at
    from {{ ref('sent_messages') }} as messages
    left join {{ ref('engagement_tiers') }} as tiers on messages.customer_id = tiers.customer_id
    group by messages.customer_id
),

-- A step of a flow that goes first, due soon: an abandonment message waits for it.
upcoming_steps as (
    select
        due.customer_id,
        min(flows.priority) as priority,
        min(due.due_at) as due_at
    from {{ ref('flow_steps_due') }} as due
    inner join {{ ref('flow_catalog') }} as flows on due.flow = flows.flow
    where flows.is_abandon and not due.is_due and due.due_at <= {{ date_add('hour', var('look_ahead_hours'), as_of()) }}
    group by due.customer_id
),

ruled_steps as (
    select
        steps_due.*,
        case
            when steps_due.is_held_out then 'holdout'
            when steps_due.expires_at < {{ as_of() }} then 'too_late'
            when not steps_due.is_allowed then 'not_allowed'
            when not steps_due.is_condition_met then 'condition'
            when steps_due.message_class = 'transactional' then null
            when extract(hour from steps_due.local_now) < {{ first_hour }} or extract(hour from steps_due.local_now) >= {{ last_hour }}
                then 'quiet_hours'
            when
                steps_due.is_abandon
                and messages.last_abandon_at > {{ date_add('hour', -var('abandon_rest_hours'), as_of()) }}
                then 'abandon_rest'
            when messages.last_sent_at > {{ date_add('hour', -var('message_gap_hours'), as_of()) }} then 'message_gap'
            when messages.n_in_window >= greatest(floor(coalesce(steps_due.weekly_cap, 1)), 1) then 'weekly_cap'
            when steps_due.is_abandon and upcoming_steps.priority < steps_due.priority then 'goes_first'
        end as rule,
        messages.last_sent_at,
        messages.last_abandon_at,
        messages.n_in_window,
        messages.first_in_window_at,
        upcoming_steps.due_at as upcoming_at
    from steps_due
    left join messages on steps_due.customer_id = messages.customer_id
    left join upcoming_steps on steps_due.customer_id = upcoming_steps.customer_id
    where steps_due.is_due
),

-- One marketing message per customer and build: the lowest priority goes first, then the oldest.
ranked_steps as (
    select
        *,
        case
            when rule is null and message_class <> 'transactional'
                then
                    row_number() over (
                        partition by customer_id, rule is null and message_class <> 'transactional'
                        order by priority, due_at, enrolment_id
                    )
        end as place
    from ruled_steps
),

winners as (
    select
        customer_id,
        flow as winner
    from ranked_steps
    where place = 1
),

timed_steps as (
    select
        ranked_steps.*,
        coalesce(ranked_steps.rule, case when ranked_steps.place > 1 then 'lost' end) as final_rule,
        case when ranked_steps.place > 1 then winners.winner end as winner,
        case
            when ranked_steps.rule = 'not_allowed' then ranked_steps.opens_at
            when ranked_steps.rule = 'quiet_hours'
                then {{ utc_time(
                    "case when extract(hour from ranked_steps.local_now) < " ~ first_hour ~ " then "
                    ~ date_add('hour', first_hour, 'cast(cast(ranked_steps.local_now as date) as timestamp)') ~ " else "
                    ~ date_add('hour', first_hour + 24, 'cast(cast(ranked_steps.local_now as date) as timestamp)') ~ " end",
                    'ranked_steps.time_zone'
                ) }}
            when ranked_steps.rule = 'abandon_rest' then {{ date_add('hour', var('abandon_rest_hours'), 'ranked_steps.last_abandon_at') }}
            when ranked_steps.rule = 'message_gap' then {{ date_add('hour', var('message_gap_hours'), 'ranked_steps.last_sent_at') }}
            when ranked_steps.rule = 'weekly_cap'
                then {{ date_add('hour', 'cast(168 / least(coalesce(ranked_steps.weekly_cap, 1), 1) as integer)', 'ranked_steps.first_in_window_at') }}
            when ranked_steps.rule = 'goes_first' then ranked_steps.upcoming_at
            when ranked_steps.place > 1 then {{ date_add('hour', var('message_gap_hours'), as_of()) }}
        end as opens_again_at
    from ranked_steps
    left join winners on ranked_steps.customer_id = winners.customer_id
),

decided_steps as (
    select
        *,
        case
            when final_rule is null then 'send'
            when opens_again_at <= expires_at then 'wait'
            else 'drop'
        end as decision
    from timed_steps
)

select
    {{ dbt.hash(joined('/', ['enrolment_id', 'step', 'cast(' ~ as_of() ~ ' as ' ~ dbt.type_string() ~ ')'])) }} as decision_id,
    enrolment_id,
    flow,
    step,
    step_number,
    customer_id,
    subject_id,
    slot,
    message_class,
    purpose,
    is_abandon,
    decision,
    final_rule as rule,
    winner,
    case when decision = 'wait' then opens_again_at end as wait_until,
    due_at,
    expires_at,
    case
        when decision = 'send' then 'Goes out: ' || reason
        else case final_rule
            when 'holdout' then 'Held out to measure the flow.'
            when 'too_late' then 'Too late: it was due on ' || {{ day_text('due_at') }} || '.'
            when 'not_allowed' then contact_reason
            when 'condition' then 'The condition of the step does not hold.'
            when 'quiet_hours' then 'Quiet hours: it is ' || {{ hour_text("cast(extract(hour from local_now) as bigint)") }} || ' for the customer.'
            when 'abandon_rest' then 'Was sent an abandonment message less than {{ var("abandon_rest_hours") }} hours ago.'
            when 'message_gap' then 'Was sent a marketing message less than {{ var("message_gap_hours") }} hours ago.'
            when 'weekly_cap' then 'Was sent ' || {{ counted('n_in_window', 'marketing message') }} || ', the most that this customer gets.'
            when 'goes_first' then 'A message of a flow that goes first is due soon.'
            when 'lost' then 'Another flow goes first: ' || winner || '.'
        end
        || case when decision = 'drop' and final_rule not in ('holdout', 'too_late', 'condition') and opens_again_at is not null
            then ' It would be too late after that.' else '' end
    end as reason,
    {{ as_of() }} as decided_at
from decided_steps
{% if is_incremental() -%}
-- A build as of a past moment reads the ledger and adds nothing.
where {{ as_of() }} >= coalesce((select max(decided_at) from {{ this }}), {{ as_of() }})
{%- endif %}
