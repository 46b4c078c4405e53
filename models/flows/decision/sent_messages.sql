-- The marketing messages of the last weeks, also those that others sent. A decision counts until the ESP reports its message.
{% set since = date_add('day', -35, as_of()) %}
with email_events as (
    select
        customer_id,
        occurred_at as sent_at
    from {{ ref('email_events') }}
    where
        is_sending
        and coalesce(message_class, 'promotional') <> 'transactional'
        and occurred_at > {{ since }}
        and occurred_at <= {{ as_of() }}
),

decisions as (
    select * from {{ ref('past_decisions') }}
    where decision = 'send' and message_class <> 'transactional' and decided_at > {{ since }}
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
    false as is_abandon,
    true as is_counted
from email_events
union all
select
    decisions.customer_id,
    decisions.decided_at as sent_at,
    decisions.is_abandon,
    reported_decisions.decision_id is null as is_counted
from decisions
left join reported_decisions on decisions.decision_id = reported_decisions.decision_id
