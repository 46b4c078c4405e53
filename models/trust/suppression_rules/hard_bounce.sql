-- Until the address changes: mailbox providers count mail to dead addresses against the sender. A bounce speaks of an
-- address, whoever has it and whichever profile it came through, also one that identity has not seen yet.
with bounced as (
    select
        profiles.email,
        min(events.occurred_at) as bounced_at
    from {{ ref('stg_esp__message_events') }} as events
    inner join {{ ref('stg_esp__profiles') }} as profiles on events.profile_id = profiles.profile_id
    where events.event_type = 'bounced' and events.bounce_type = 'hard'
    group by profiles.email
)

select
    customers.customer_id,
    'everything' as scope,
    bounced.bounced_at as since,
    cast(null as timestamp) as until,
    'The mailbox refused mail for good on ' || {{ day_text('bounced.bounced_at') }} || '.' as reason
from {{ ref('customers') }} as customers
inner join bounced on customers.email = bounced.email
