-- Consent events that have less, or more, effect than the system that recorded them may expect. A person should review them.
with purposes as (
    select * from {{ ref('consent_purposes') }}
),

events_with_effect as (
    select distinct consent_event_id from {{ ref('consent_event_effects') }}
),

-- Events for a channel and purpose that are not in the register. Only an opt-out may name several at once.
unregistered_events as (
    select
        history.consent_event_id,
        history.consent_status = 'granted' as is_yes
    from {{ ref('consent_history') }} as history
    left join purposes on history.channel = purposes.channel and history.purpose = purposes.purpose
    where
        purposes.purpose is null
        and history.consent_status <> '{{ not_said() }}'
        and (
            history.consent_status = 'granted'
            or history.purpose not in (
                '{{ every_purpose() }}', '{{ every_marketing_purpose() }}', '{{ every_signalled_purpose() }}'
            )
        )
),

issues as (
    select
        history.consent_event_id,
        'names no known customer' as issue
    from {{ ref('consent_history') }} as history
    left join events_with_effect on history.consent_event_id = events_with_effect.consent_event_id
    left join unregistered_events on history.consent_event_id = unregistered_events.consent_event_id
    where
        events_with_effect.consent_event_id is null
        and history.consent_status <> '{{ not_said() }}'
        and history.visitor_id is null
        and not coalesce(unregistered_events.is_yes, false)
    union all
    select
        consent_event_id,
        case
            when is_yes then 'an opt-in to an unregistered channel and purpose'
            else 'an opt-out of an unregistered channel and purpose: it stops every marketing purpose'
        end as issue
    from unregistered_events
    union all
    select
        consent_event_id,
        'an unknown status: it counts as an opt-out' as issue
    from {{ ref('consent_history') }}
    where consent_status not in ('granted', 'denied', 'withdrawn', 'pending', '{{ not_said() }}')
    union all
    select
        consent_event_id,
        'an unknown event type that reads like a refusal: it counts as an unsubscribe' as issue
    from {{ ref('consent_history') }}
    where source_system = 'esp event' and form is not null and not {{ is_known_word('form', word_list('esp', 'message_events', 'event_type', ['sent', 'delivered', 'opened', 'clicked', 'bounced', 'complained', 'unsubscribed'])) }}
    union all
    -- It is not certain, so the shop may ask the person, but not by e-mail.
    select
        history.consent_event_id,
        'an unsubscribe that seems to be made by a machine (' || events.machine_reason || '): it counts as any other' as issue
    from {{ ref('consent_history') }} as history
    inner join {{ ref('stg_esp__message_events') }} as events
        on history.source_key = events.event_id and history.profile_id = events.profile_id
    where
        history.source_system = 'esp event'
        and history.recorded_by = 'esp_unsubscribe'
        and events.event_type = 'unsubscribed'
        and events.is_machine
    union all
    select
        consent_event_id,
        case
            when occurred_at is null then 'an opt-out without a date'
            when occurred_at > recorded_at then 'an opt-out dated after the build that recorded it'
            else 'an opt-out dated before the shop was founded'
        end || ': it counts from when it was recorded' as issue
    from {{ ref('consent_history') }}
    where
        consent_status not in ('granted', 'pending', '{{ not_said() }}')
        and source_system <> 'esp profile'
        and not coalesce(occurred_at between cast('{{ var("founded_on") }}' as timestamp) and recorded_at, false)
    union all
    -- An opt-out with a guessed address has that address at the end of its key.
    select
        consent_event_id,
        'an opt-out with an unreadable address: it applies to every address that it may mean' as issue
    from {{ ref('consent_history') }}
    where consent_status not in ('granted', 'pending', '{{ not_said() }}') and source_key like '%/' || email
        and source_system <> 'browser'
    union all
    select distinct
        consent_event_id,
        'an opt-in that does not count: ' || void_because as issue
    from {{ ref('consent_event_effects') }}
    where void_because is not null
)

select
    issues.consent_event_id,
    issues.issue,
    history.source_system,
    history.source_key,
    history.channel,
    history.purpose,
    history.consent_status,
    history.lawful_basis,
    history.recorded_by,
    history.occurred_at
from issues
inner join {{ ref('consent_history') }} as history on issues.consent_event_id = history.consent_event_id
