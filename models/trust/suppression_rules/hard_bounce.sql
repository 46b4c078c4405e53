-- Until a person is seen at the mailbox again, or the address changes: mailbox providers count mail to dead addresses against
-- the sender. A bounce speaks of the mailbox that the profile had that day, for all who have it, in any spelling, and
-- whichever profile it came through, also one that identity lacks.
with addresses as (
    select * from {{ with_mailboxes(profile_addresses()) }}
),

bounced as (
    select
        addresses.widest_mailbox,
        min(events.occurred_at) as bounced_at,
        max(events.occurred_at) as last_bounced_at
    from {{ ref('stg_esp__message_events') }} as events
    inner join addresses on events.profile_id = addresses.profile_id and {{ is_of_its_time('events.occurred_at', 'addresses') }}
    -- Whatever word the ESP has for the event itself.
    where events.bounce_type = 'hard'
    group by addresses.widest_mailbox
),

-- What became of each message to these mailboxes. A delivery is none: a server takes mail for mailboxes that it lacks, and a
-- dead address may come back as a trap. Nor is an open of what was sent before: a copy is read where the mailbox is gone.
messages as (
    select
        bounced.widest_mailbox,
        events.message_id,
        max(case when events.event_type in ('opened', 'clicked') and not events.is_machine then events.occurred_at end) as acted_at
    from {{ ref('stg_esp__message_events') }} as events
    inner join addresses on events.profile_id = addresses.profile_id
    inner join bounced on addresses.widest_mailbox = bounced.widest_mailbox
    where addresses.is_current and {{ is_of_its_time('events.occurred_at', 'addresses') }}
    group by bounced.widest_mailbox, events.message_id
    having min(events.occurred_at) > max(bounced.last_bounced_at)
),

-- Who confirms a double opt-in has read the message that asked.
confirmations as (
    select
        widest_mailbox,
        confirmed_at as acted_at
    from {{ with_mailboxes(ref('consent_history')) }} as history
    where consent_status in ('granted', 'pending') and confirmed_at <= {{ as_of() }}
),

alive as (
    select widest_mailbox
    from messages
    where acted_at is not null
    union distinct
    select bounced.widest_mailbox
    from bounced
    inner join confirmations on bounced.widest_mailbox = confirmations.widest_mailbox
    where confirmations.acted_at > bounced.last_bounced_at
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
left join alive on bounced.widest_mailbox = alive.widest_mailbox
where alive.widest_mailbox is null
