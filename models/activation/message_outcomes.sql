-- Each decision to send beside the ESP's answer and the message it reported. A message belongs to the decision whose key it has, or
-- else to the last decision about its customer in the 24 hours before it.
-- Longer than 120 lines because decisions and messages are matched both ways, and what is left on either side is an outcome too.
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
        min(case when status = 'accepted' then answered_at end) as accepted_at
    from {{ ref('sync_receipts') }}
    where operation = 'send'
    group by outbox_id
),

-- Campaigns of flows have the name of their event.
messages as (
    select
        events.customer_id,
        events.message_id,
        min(events.occurred_at) as sent_at,
        max(case when campaigns.campaign_name like 'Mailroom %' then 1 else 0 end) = 1 as is_of_flow
    from {{ ref('email_events') }} as events
    left join {{ ref('stg_esp__campaigns') }} as campaigns on events.campaign_id = campaigns.campaign_id
    where events.is_sending and events.occurred_at > {{ since }} and events.occurred_at <= {{ as_of() }}
    group by events.customer_id, events.message_id
),

pairs as (
    select
        decisions.decision_id,
        messages.customer_id,
        messages.message_id,
        messages.sent_at,
        row_number() over (
            partition by messages.customer_id, messages.message_id
            order by coalesce(messages.message_id = decisions.outbox_id, false) desc, decisions.decided_at desc, decisions.decision_id asc
        ) as place_of_message
    from messages
    inner join decisions
        on
            messages.customer_id = decisions.customer_id
            and (
                messages.message_id = decisions.outbox_id
                or (messages.sent_at >= decisions.decided_at and messages.sent_at <= {{ date_add('hour', 24, 'decisions.decided_at') }})
            )
),

first_messages as (
    select
        *,
        row_number() over (partition by decision_id order by sent_at asc, message_id asc) as place_of_decision
    from pairs
    where place_of_message = 1
),

matches as (
    select * from first_messages where place_of_decision = 1
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
        matches.message_id,
        matches.sent_at as reported_at,
        case
            when matches.message_id is not null then 'reported'
            when answers.accepted_at is not null then 'accepted'
            when decisions.expires_at >= {{ as_of() }} then 'waiting'
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
        messages.message_id,
        messages.sent_at as reported_at,
        'never_decided' as outcome
    from messages
    left join matches on messages.customer_id = matches.customer_id and messages.message_id = matches.message_id
    where messages.is_of_flow and matches.message_id is null
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
        when 'never_sent' then 'Decided on ' || {{ day_text('decided_at') }} || ', and never accepted before its shelf life ended.'
        else 'The ESP sent a message of a flow on ' || {{ day_text('reported_at') }} || ' that was not decided here.'
    end as reason
from outcomes
