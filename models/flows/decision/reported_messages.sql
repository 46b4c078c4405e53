-- The message of each decision to send: the one with its key, or else the first one of the ESP in the 24 hours after it that belongs
-- to no other decision.
{% set since = date_add('day', -var('flow_funnel_days'), as_of()) %}
with decisions as (
    select
        decisions.decision_id,
        enrolments.customer_id,
        decisions.decided_at,
        {{ dbt.hash("'send/' || decisions.decision_id") }} as message_key
    from {{ ref('message_decisions') }} as decisions
    inner join {{ ref('flow_enrolments') }} as enrolments on decisions.enrolment_id = enrolments.enrolment_id
    where decisions.decision = 'send' and decisions.decided_at > {{ since }} and decisions.decided_at <= {{ as_of() }}
),

messages as (
    select
        customer_id,
        message_id,
        min(case when is_sending then occurred_at end) as sent_at,
        min(case when event_type = 'clicked' and not is_machine then occurred_at end) as clicked_at
    from {{ ref('email_events') }}
    where occurred_at > {{ since }} and occurred_at <= {{ as_of() }}
    group by customer_id, message_id
),

pairs as (
    select
        decisions.decision_id,
        messages.customer_id,
        messages.message_id,
        messages.sent_at,
        messages.clicked_at,
        row_number() over (
            partition by messages.customer_id, messages.message_id
            order by coalesce(messages.message_id = decisions.message_key, false) desc, decisions.decided_at desc, decisions.decision_id asc
        ) as place_of_message
    from messages
    inner join decisions
        on
            messages.customer_id = decisions.customer_id
            and (
                messages.message_id = decisions.message_key
                or (messages.sent_at >= decisions.decided_at and messages.sent_at <= {{ date_add('hour', 24, 'decisions.decided_at') }})
            )
    where messages.sent_at is not null
),

first_messages as (
    select
        *,
        row_number() over (partition by decision_id order by sent_at asc, message_id asc) as place_of_decision
    from pairs
    where place_of_message = 1
)

select
    decision_id,
    customer_id,
    message_id,
    sent_at,
    clicked_at
from first_messages
where place_of_decision = 1
