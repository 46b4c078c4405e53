-- A purchase event fired twice is one purchase: every event that staging keeps in the newest 30 days is the first of its
-- order, whatever the age of the other.
select
    events.order_id,
    events.event_id,
    events.occurred_at,
    earlier.event_id as earlier_event_id,
    earlier.occurred_at as earlier_occurred_at
from {{ ref('stg_web__events') }} as events
inner join {{ ref('base_web__purchases') }} as earlier on events.order_id = earlier.order_id
where
    events.event_type = 'purchase'
    and events.occurred_at >= {{ date_add('day', -30, as_of()) }}
    and (
        earlier.occurred_at < events.occurred_at
        or (earlier.occurred_at = events.occurred_at and earlier.event_id < events.event_id)
    )
