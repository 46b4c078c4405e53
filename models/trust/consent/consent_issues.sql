-- Answers that do less than whoever recorded them may think: for a person to look at.
with purposes as (
    select * from {{ ref('consent_purposes') }}
),

leads_to as (
    select distinct consent_event_id from {{ ref('consent_answers') }}
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
        'about nobody who is known' as issue
    from {{ ref('consent_history') }} as history
    left join leads_to on history.consent_event_id = leads_to.consent_event_id
    left join unregistered on history.consent_event_id = unregistered.consent_event_id
    where
        leads_to.consent_event_id is null
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
        'a status that nobody knows: it counts as no' as issue
    from {{ ref('consent_history') }}
    where consent_status not in ('granted', 'denied', 'withdrawn', 'pending')
    union all
    select distinct
        consent_event_id,
        'a yes that does not count: ' || void_because as issue
    from {{ ref('consent_answers') }}
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
