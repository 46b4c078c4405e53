-- Checked against the message events: a hard bounce of the current mailbox, in any spelling, stops every message to the customers
-- who have it, until a person opens or clicks there or confirms an opt-in. A bounce from before the profile had that address
-- does not count.
with bounces as (
    select
        profiles.widest_mailbox,
        max(events.occurred_at) as last_bounced_at
    from {{ ref('stg_esp__message_events') }} as events
    inner join {{ with_mailboxes(ref('stg_esp__profiles')) }} as profiles on events.profile_id = profiles.profile_id
    left join {{ ref('contact_points') }} as others
        on
            'esp_profile:' || events.profile_id = others.record_key
            and others.contact_type = 'email'
            and others.contact <> profiles.email
    where {{ is_hard_bounce('events', 'profiles') }} and others.record_key is null
    group by profiles.widest_mailbox
),

signs_of_life as (
    select
        profiles.widest_mailbox,
        events.occurred_at as acted_at
    from {{ ref('stg_esp__message_events') }} as events
    inner join {{ with_mailboxes(ref('stg_esp__profiles')) }} as profiles on events.profile_id = profiles.profile_id
    where events.event_type in ('opened', 'clicked') and not events.is_machine
    union all
    select
        widest_mailbox,
        confirmed_at as acted_at
    from {{ with_mailboxes(ref('consent_history')) }} as history
    where consent_status in ('granted', 'pending')
),

-- One row per mailbox, because hundreds of customers may share it.
last_signs as (
    select
        widest_mailbox,
        max(acted_at) as acted_at
    from signs_of_life
    group by widest_mailbox
)

select contactability.*
from {{ ref('contactability') }} as contactability
inner join {{ with_mailboxes(ref('customers')) }} as customers on contactability.customer_id = customers.customer_id
inner join bounces on customers.widest_mailbox = bounces.widest_mailbox
left join last_signs on bounces.widest_mailbox = last_signs.widest_mailbox
where contactability.is_allowed and coalesce(last_signs.acted_at <= bounces.last_bounced_at, true)
