-- Answers that do less, or more, than the system that recorded them may expect: for a person to look at.
with purposes as (
    select * from {{ ref('consent_purposes') }}
),

leads_to as (
    select distinct consent_event_id from {{ ref('consent_event_effects') }}
),

-- Answers to a channel and purpose that the register lacks; only a no may speak of several at once.
unregistered as (
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
        'about no customer that is known' as issue
    from {{ ref('consent_history') }} as history
    left join leads_to on history.consent_event_id = leads_to.consent_event_id
    left join unregistered on history.consent_event_id = unregistered.consent_event_id
    where
        leads_to.consent_event_id is null
        and history.consent_status <> '{{ not_said() }}'
        and history.visitor_id is null
        and not coalesce(unregistered.is_yes, false)
    union all
    select
        consent_event_id,
        case
            when is_yes then 'a yes to a channel and purpose that the register lacks'
            else 'a no to a channel and purpose that the register lacks: it closes every marketing purpose'
        end as issue
    from unregistered
    union all
    select
        consent_event_id,
        'an unknown status: it counts as a no' as issue
    from {{ ref('consent_history') }}
    where consent_status not in ('granted', 'denied', 'withdrawn', 'pending', '{{ not_said() }}')
    union all
    select
        consent_event_id,
        'an unknown word for an event that reads like a refusal: it counts as an unsubscribe' as issue
    from {{ ref('consent_history') }}
    where source_system = 'esp event' and form is not null and not {{ is_known_word('form', word_list('esp', 'message_events', 'event_type', ['sent', 'delivered', 'opened', 'clicked', 'bounced', 'complained', 'unsubscribed'])) }}
    union all
    -- No one can be sure of it, so the person may be asked, by other ways than e-mail.
    select
        history.consent_event_id,
        'an unsubscribe that a machine seems to have made (' || events.machine_reason || '): it counts as any other' as issue
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
            when occurred_at is null then 'a no without a date'
            when occurred_at > recorded_at then 'a no that is dated after the build that recorded it'
            else 'a no that is dated before the shop was founded'
        end || ': it counts from when it was recorded' as issue
    from {{ ref('consent_history') }}
    where
        consent_status not in ('granted', 'pending', '{{ not_said() }}')
        and source_system <> 'esp profile'
        and not coalesce(occurred_at between cast('{{ var("founded_on") }}' as timestamp) and recorded_at, false)
    union all
    -- A ledger keeps the address of a no apart from what was typed: several guesses, or none.
    select
        consent_event_id,
        'a no whose address could not be read: it closes every address that it may mean' as issue
    from {{ ref('consent_history') }}
    where consent_status not in ('granted', 'pending', '{{ not_said() }}') and source_key like '%/' || email
        and source_system <> 'browser'
    union all
    select distinct
        consent_event_id,
        'a yes that does not count: ' || void_because as issue
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
