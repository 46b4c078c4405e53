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
),

answers as (
    select distinct bounce_answer
    from events
    where event_type = 'bounced' and bounce_answer is not null
),

classified_answers as (
    {{ classified_answers('answers') }}
)

select
    events.event_id,
    events.message_id,
    events.campaign_id,
    events.profile_id,
    events.event_type,
    case when events.event_word <> events.event_type then events.event_word end as event_word,
    -- The provider's own answer says more than the word of the ESP.
    coalesce(answers.counts_as, events.bounce_type) as bounce_type,
    answers.bounce_class,
    answers.bounce_code,
    events.url,
    reactions.machine_reason,
    reactions.machine_reason is not null as is_machine,
    events.event_type = 'sent' or coalesce(reactions.is_sending, false) as is_sending,
    events.occurred_at
from events
left join reactions on events.event_id = reactions.event_id and events.event_type = reactions.event_type
left join classified_answers as answers on events.event_type = 'bounced' and events.bounce_answer = answers.bounce_answer
