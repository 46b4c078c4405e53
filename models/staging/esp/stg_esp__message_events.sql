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
    select distinct
        bounce_answer,
        {{ status_code_of('bounce_answer') }} as bounce_code,
        {{ words_of_answer('bounce_answer') }} as words
    from events
    where event_type = 'bounced' and bounce_answer is not null
),

marked_answers as (
    select
        answers.bounce_answer,
        answers.bounce_code,
        classes.bounce_class,
        classes.counts_as,
        row_number() over (
            partition by answers.bounce_answer
            order by
                case when classes.kind = 'text' and classes.counts_as = 'hard' then 2 when classes.kind = 'text' and classes.counts_as = 'soft' then 1 else 0 end,
                length(replace(classes.marker, '*', '')) desc,
                classes.marker
        ) as place
    from answers
    left join {{ ref('bounce_classes') }} as classes
        on
            case when classes.kind = 'code' then answers.bounce_code else answers.words end
            like case when classes.kind = 'code' then replace(classes.marker, '*', '%') else '%' || classes.marker || '%' end
            and (classes.kind = 'code' or answers.bounce_code is null)
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
left join marked_answers as answers
    on events.event_type = 'bounced' and events.bounce_answer = answers.bounce_answer and answers.place = 1
