-- Every marketing message of the last four weeks, also those that others sent. A decision of the last day counts until the ESP
-- reports its message.
with email_events as (
    select
        customer_id,
        occurred_at as sent_at,
        message_class
    from {{ ref('email_events') }}
    where
        is_sending
        and coalesce(message_class, 'promotional') <> 'transactional'
        and occurred_at > {{ date_add('day', -28, as_of()) }}
        and occurred_at <= {{ as_of() }}
),

decisions as (
    select * from {{ ref('past_decisions') }}
    where
        decision = 'send'
        and message_class <> 'transactional'
        and decided_at > {{ date_add('day', -28, as_of()) }}
),

reported_decisions as (
    select distinct decisions.decision_id
    from decisions
    inner join email_events
        on
            decisions.customer_id = email_events.customer_id
            and email_events.sent_at >= decisions.decided_at
            and email_events.sent_at <= {{ date_add('hour', 24, 'decisions.decided_at') }}
)

select
    customer_id,
    sent_at,
    cast(null as {{ dbt.type_string() }}) as flow,
    false as is_abandon,
    true as counts
from email_events
union all
select
    decisions.customer_id,
    decisions.decided_at as sent_at,
    decisions.flow,
    decisions.is_abandon,
    reported_decisions.decision_id is null as counts
from decisions
left join reported_decisions on decisions.decision_id = reported_decisions.decision_id
