{{ config(materialized='view') }}
-- What the ESP knows: the subscription status of its profiles, which has no date, and the unsubscribes and complaints.
with all_profiles as (
    select
        profile_id,
        email,
        email_given,
        coalesce(lower(subscription_status), 'never_subscribed') as subscription_status,
        reject_reason,
        max(case when reject_reason is null then 1 else 0 end) over (partition by profile_id) = 1 as has_kept_row
    from {{ ref('base_esp__profiles') }}
),

-- An unknown status is an opt-out.
subscriptions as (
    select distinct
        'esp profile' as source_system,
        case when reject_reason is null then profile_id else {{ set_aside_key('profile_id', ['email_given']) }} end as source_key,
        email,
        email_given,
        profile_id,
        'email' as channel,
        case when subscription_status = 'unsubscribed' then '{{ every_marketing_purpose() }}' else 'marketing_email' end as purpose,
        case subscription_status
            when 'subscribed' then 'granted'
            when 'unsubscribed' then 'withdrawn'
            when 'never_subscribed' then '{{ not_said() }}'
            else subscription_status
        end as consent_status,
        'express' as lawful_basis,
        'esp' as recorded_by
    from all_profiles
    where reject_reason is null or subscription_status not in ('subscribed', 'pending', 'never_subscribed')
),

-- An opt-in ends when its row is deleted or becomes unreadable.
silenced_rows as (
    select
        'esp profile' as source_system,
        marked.profile_id as source_key,
        'email' as channel,
        'marketing_email' as purpose,
        '{{ not_said() }}' as consent_status
    from {{ marked_keys(ref('base_esp__profiles'), 'profile_id') }} as marked
    left join all_profiles as kept_rows on marked.profile_id = kept_rows.profile_id and kept_rows.reject_reason is null
    where marked.profile_id is not null and kept_rows.profile_id is null
),

-- A refusal by a profile that no longer exists still counts.
refusals as (
    select
        event_id as source_key,
        profile_id,
        event_type,
        event_word,
        occurred_at
    from {{ ref('stg_esp__message_events') }}
    where event_type in ('unsubscribed', 'complained')
    union distinct
    select
        {{ set_aside_key('rejected_events.event_id', ['rejected_events.profile_id', 'rejected_events.event_type', 'rejected_events.occurred_at']) }} as source_key,
        rejected_events.profile_id,
        rejected_events.event_type,
        case when rejected_events.event_word <> rejected_events.event_type then rejected_events.event_word end as event_word,
        rejected_events.occurred_at
    from {{ ref('base_esp__flawed_message_events') }} as rejected_events
    left join {{ ref('stg_esp__message_events') }} as kept_events
        on
            rejected_events.event_id = kept_events.event_id
            and rejected_events.profile_id = kept_events.profile_id
            and rejected_events.event_type = kept_events.event_type
    where
        rejected_events.event_type in ('unsubscribed', 'complained')
        and rejected_events.reject_reason is not null
        and kept_events.event_id is null
),

-- A deleted profile still shows which address its refusals concern.
profiles as (
    select distinct
        profile_id,
        email,
        case when has_kept_row then email_given end as email_given,
        case when not has_kept_row then email end as part_of_key
    from all_profiles
    where reject_reason is null or (not has_kept_row and email is not null and reject_reason in {{ mark_reasons() }})
),

unsubscribes as (
    select
        'esp event' as source_system,
        refusals.source_key || coalesce('/' || profiles.part_of_key, '') as source_key,
        profiles.email,
        profiles.email_given,
        refusals.profile_id,
        'email' as channel,
        '{{ every_marketing_purpose() }}' as purpose,
        'withdrawn' as consent_status,
        case refusals.event_type when 'complained' then 'esp_complaint' else 'esp_unsubscribe' end as recorded_by,
        refusals.event_word as form,
        refusals.occurred_at
    from refusals
    left join profiles on refusals.profile_id = profiles.profile_id
)

{{ union_by_name(
    {
        'subscriptions': ['form', 'occurred_at'],
        'silenced_rows': ['email', 'email_given', 'profile_id', 'lawful_basis', 'recorded_by', 'form', 'occurred_at'],
        'unsubscribes': ['lawful_basis']
    },
    columns=[
        'source_system', 'source_key', 'email', 'email_given', 'profile_id', 'channel', 'purpose', 'consent_status', 'lawful_basis',
        'recorded_by', 'form', 'occurred_at'
    ],
    types={'occurred_at': 'timestamp'}
) }}
