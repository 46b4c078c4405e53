-- Straight from the message events: a hard bounce of today's mailbox, in any spelling, closes everything.
select contactability.*
from {{ ref('contactability') }} as contactability
inner join {{ with_mailboxes(ref('customers')) }} as customers on contactability.customer_id = customers.customer_id
inner join {{ with_mailboxes(ref('stg_esp__profiles')) }} as profiles on customers.widest_mailbox = profiles.widest_mailbox
inner join {{ ref('stg_esp__message_events') }} as events
    on profiles.profile_id = events.profile_id and events.bounce_type = 'hard'
where contactability.is_allowed
