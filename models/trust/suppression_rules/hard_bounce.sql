-- Until the address changes: mailbox providers count mail to dead addresses against the sender. A bounce speaks of a
-- mailbox, whoever has it, in whatever spelling, and whichever profile it came through, also one that identity lacks.
with profiles as (
    select * from {{ with_mailboxes(ref('stg_esp__profiles')) }}
),

bounced as (
    select
        profiles.widest_mailbox,
        min(events.occurred_at) as bounced_at
    from {{ ref('stg_esp__message_events') }} as events
    inner join profiles on events.profile_id = profiles.profile_id
    -- Whatever word the ESP has for the event itself.
    where events.bounce_type = 'hard'
    group by profiles.widest_mailbox
),

customers as (
    select * from {{ with_mailboxes(ref('customers')) }}
)

select
    customers.customer_id,
    'everything' as scope,
    bounced.bounced_at as since,
    cast(null as timestamp) as until,
    'The mailbox refused mail for good on ' || {{ day_text('bounced.bounced_at') }} || '.' as reason
from customers
inner join bounced on customers.widest_mailbox = bounced.widest_mailbox
