-- Lasts until a person acts at the mailbox again, or the address changes: mailbox providers count mail to dead addresses
-- against the sender. A bounce belongs to the mailbox that the profile had that day. It holds for every customer with that
-- mailbox, in any spelling and through any profile, also one that identity lacks.
with addresses as (
    select * from {{ with_mailboxes(profile_addresses()) }}
),

bounced_mailboxes as (
    select
        addresses.widest_mailbox,
        min(events.occurred_at) as bounced_at,
        max(events.occurred_at) as last_bounced_at
    from {{ ref('stg_esp__message_events') }} as events
    inner join addresses on events.profile_id = addresses.profile_id and {{ is_of_its_time('events.occurred_at', 'addresses') }}
    -- By bounce_type, because ESPs name the event type differently.
    where {{ is_hard_bounce('events', 'addresses') }}
    group by addresses.widest_mailbox
),

-- Opens and clicks of messages sent after the bounce. A delivery proves nothing: servers accept mail for missing mailboxes, and
-- a dead address may return as a spam trap. Nor does an open of an older message, which may be a copy elsewhere.
messages as (
    select
        bounced_mailboxes.widest_mailbox,
        events.message_id,
        max(case when events.event_type in ('opened', 'clicked') and not events.is_machine then events.occurred_at end) as acted_at
    from {{ ref('stg_esp__message_events') }} as events
    inner join addresses on events.profile_id = addresses.profile_id
    inner join bounced_mailboxes on addresses.widest_mailbox = bounced_mailboxes.widest_mailbox
    where addresses.is_current and {{ is_of_its_time('events.occurred_at', 'addresses') }}
    group by bounced_mailboxes.widest_mailbox, events.message_id
    having min(events.occurred_at) > max(bounced_mailboxes.last_bounced_at)
),

-- A confirmed double opt-in proves that a person read the message.
confirmations as (
    select
        widest_mailbox,
        confirmed_at as acted_at
    from {{ with_mailboxes(ref('consent_history')) }} as history
    where consent_status in ('granted', 'pending') and confirmed_at <= {{ as_of() }}
),

reachable_mailboxes as (
    select widest_mailbox
    from messages
    where acted_at is not null
    union distinct
    select bounced_mailboxes.widest_mailbox
    from bounced_mailboxes
    inner join confirmations on bounced_mailboxes.widest_mailbox = confirmations.widest_mailbox
    where confirmations.acted_at > bounced_mailboxes.last_bounced_at
),

customers as (
    select * from {{ with_mailboxes(ref('customers')) }}
)

select
    customers.customer_id,
    'everything' as scope,
    bounced_mailboxes.bounced_at as since,
    cast(null as timestamp) as until,
    'Hard bounce on ' || {{ day_text('bounced_mailboxes.bounced_at') }} || '.' as reason
from customers
inner join bounced_mailboxes on customers.widest_mailbox = bounced_mailboxes.widest_mailbox
left join reachable_mailboxes on bounced_mailboxes.widest_mailbox = reachable_mailboxes.widest_mailbox
where reachable_mailboxes.widest_mailbox is null
