-- A table although it mostly copies its source, because half a dozen models read it.
{{ config(
    materialized='incremental', event_time='occurred_at', unique_key=['event_id', is_refusal()],
    meta={'built_through': 'stg_esp__profile_days.activity_on', 'never_late': {'event_type': refusals()}}
) }}
{% set days = replaced_days() %}

with events as (
    select * from {{ ref('base_esp__message_events') }}
    where reject_reason is null and {{ is_replaced('occurred_at', days, never_late=is_never_late()) }}
),

reactions as (
    select * from {{ ref('base_esp__reactions') }}
    where (machine_reason is not null or is_sending) and {{ is_replaced('occurred_at', days, never_late=is_never_late()) }}
)

select
    events.event_id,
    events.message_id,
    events.campaign_id,
    events.profile_id,
    events.event_type,
    case when events.event_word <> events.event_type then events.event_word end as event_word,
    events.bounce_type,
    events.url,
    reactions.machine_reason,
    reactions.machine_reason is not null as is_machine,
    events.event_type = 'sent' or coalesce(reactions.is_sending, false) as is_sending,
    events.occurred_at
from events
left join reactions on events.event_id = reactions.event_id and events.event_type = reactions.event_type
