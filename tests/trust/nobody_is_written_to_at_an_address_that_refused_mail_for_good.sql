-- Straight from the message events: a hard bounce of the address of today closes everything.
select contactability.*
from {{ ref('contactability') }} as contactability
inner join {{ ref('customers') }} as customers on contactability.customer_id = customers.customer_id
inner join {{ ref('stg_esp__profiles') }} as profiles on customers.email = profiles.email
inner join {{ ref('stg_esp__message_events') }} as events
    on profiles.profile_id = events.profile_id and events.bounce_type = 'hard'
where contactability.is_allowed
