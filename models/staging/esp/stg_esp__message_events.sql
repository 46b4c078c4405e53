with events as (
    select * from {{ ref('base_esp__message_events') }} where reject_reason is null
),

machine_events as (
    select * from {{ ref('base_esp__reactions') }} where machine_reason is not null
)

select
    events.event_id,
    events.message_id,
    events.campaign_id,
    events.profile_id,
    events.event_type,
    events.bounce_type,
    events.url,
    machine_events.machine_reason,
    machine_events.event_id is not null as is_machine,
    events.occurred_at
from events
left join machine_events on events.event_id = machine_events.event_id
