-- Each decision to send beside the ESP's answer and the message it reported, and each message of a flow without a decision.
{% set since = date_add('day', -30, as_of()) %}
with decisions as (
    select
        decisions.decision_id,
        decisions.flow,
        decisions.step,
        enrolments.customer_id,
        decisions.decided_at,
        decisions.expires_at,
        {{ dbt.hash("'send/' || decisions.decision_id") }} as outbox_id
    from {{ ref('message_decisions') }} as decisions
    inner join {{ ref('flow_enrolments') }} as enrolments on decisions.enrolment_id = enrolments.enrolment_id
    where decisions.decision = 'send' and decisions.decided_at > {{ since }} and decisions.decided_at <= {{ as_of() }}
),

answers as (
    select
        outbox_id,
        min(case when status = 'accepted' then answered_at end) as accepted_at,
        max(case when status = 'sent' or code in {{ unclear_codes() }} then answered_at end) as unanswered_at
    from {{ ref('sync_receipts') }}
    where operation = 'send'
    group by outbox_id
),

-- Campaigns of flows have the name of their event.
flow_messages as (
    select
        events.customer_id,
        events.message_id,
        min(events.occurred_at) as sent_at
    from {{ ref('email_events') }} as events
    inner join {{ ref('message_sources') }} as sources on events.campaign_id = sources.campaign_id
    where
        events.is_sending
        and events.occurred_at > {{ since }}
        and events.occurred_at <= {{ as_of() }}
        and sources.source like 'flow:%'
    group by events.customer_id, events.message_id
),

matches as (
    select * from {{ ref('reported_messages') }}
),

outcomes as (
    select
        decisions.decision_id as outcome_id,
        decisions.decision_id,
        decisions.flow,
        decisions.step,
        decisions.customer_id,
        decisions.decided_at,
        decisions.expires_at,
        answers.accepted_at,
        answers.unanswered_at,
        matches.message_id,
        matches.sent_at as reported_at,
        case
            when matches.message_id is not null then 'reported'
            when answers.accepted_at is not null then 'accepted'
            when decisions.expires_at >= {{ as_of() }} then 'waiting'
            when answers.unanswered_at is not null then 'unanswered'
            else 'never_sent'
        end as outcome
    from decisions
    left join answers on decisions.outbox_id = answers.outbox_id
    left join matches on decisions.decision_id = matches.decision_id
    union all
    select
        {{ dbt.hash("messages.customer_id || '/' || messages.message_id") }} as outcome_id,
        cast(null as {{ dbt.type_string() }}) as decision_id,
        cast(null as {{ dbt.type_string() }}) as flow,
        cast(null as {{ dbt.type_string() }}) as step,
        messages.customer_id,
        cast(null as timestamp) as decided_at,
        cast(null as timestamp) as expires_at,
        cast(null as timestamp) as accepted_at,
        cast(null as timestamp) as unanswered_at,
        messages.message_id,
        messages.sent_at as reported_at,
        'never_decided' as outcome
    from flow_messages as messages
    left join matches on messages.customer_id = matches.customer_id and messages.message_id = matches.message_id
    where matches.message_id is null
)

select
    outcome_id,
    decision_id,
    flow,
    step,
    customer_id,
    outcome,
    decided_at,
    accepted_at,
    message_id,
    reported_at,
    case outcome
        when 'reported' then 'Sent on ' || {{ day_text('reported_at') }} || ', as the ESP reports.'
        when 'accepted' then 'The destination accepted it on ' || {{ day_text('accepted_at') }} || '. No report of the message yet.'
        when 'waiting' then 'Decided on ' || {{ day_text('decided_at') }} || ', and not accepted by the destination yet.'
        when 'unanswered' then 'Sent on ' || {{ day_text('unanswered_at') }} || '. The destination did not confirm it, so it may have arrived.'
        when 'never_sent' then 'Decided on ' || {{ day_text('decided_at') }} || ', and never accepted before its shelf life ended.'
        else 'The ESP sent a message of a flow on ' || {{ day_text('reported_at') }} || ' that was not decided here.'
    end as reason
from outcomes
