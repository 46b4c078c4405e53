{{ config(materialized='view') }}
-- An opt-in in a rejected row allows nothing, but an opt-out there counts.
with tool_events as (
    select
        'consent tool' as source_system,
        consent_event_id as source_key,
        email,
        email_given,
        phone,
        shop_customer_id,
        visitor_id,
        channel,
        case
            when recorded_by in ('esp_unsubscribe', 'esp_complaint') and consent_status <> 'granted' then '{{ every_marketing_purpose() }}'
            else purpose
        end as purpose,
        consent_status,
        lawful_basis,
        recorded_by,
        form,
        text_version,
        confirmed_at,
        occurred_at
    from {{ ref('stg_privacy__consent_events') }}
),

rejected_tool_events as (
    select distinct
        'consent tool' as source_system,
        {{ set_aside_key('consent_event_id', [
            'email', 'email_given', 'phone', 'customer_id', 'visitor_id', 'channel', 'purpose', 'status', 'recorded_by', 'occurred_at'
        ]) }} as source_key,
        email,
        email_given,
        phone,
        {{ dialled_phone('phone') }} as dialled,
        customer_id as shop_customer_id,
        visitor_id,
        coalesce(lower(channel), 'not given') as channel,
        case
            when
                channel is null
                or purpose is null
                or (lower(recorded_by) in ('esp_unsubscribe', 'esp_complaint') and coalesce(lower(status), '') <> 'granted')
                then '{{ every_marketing_purpose() }}'
            else lower(purpose)
        end as purpose,
        coalesce(lower(status), 'not given') as consent_status,
        lower(lawful_basis) as lawful_basis,
        lower(recorded_by) as recorded_by,
        form,
        text_version,
        case when {{ is_blanked('confirmed_at') }} then {{ unreadable_date() }} else confirmed_at end as confirmed_at,
        occurred_at,
        reject_reason,
        consent_event_id
    from {{ ref('base_privacy__consent_events') }}
    where reject_reason is not null
),

-- Two people under one key are two events: a duplicate with an opt-in counts if it concerns another customer than the kept row.
-- Every other rejected opt-in allows nothing.
usable_rejected_events as (
    select rejected_tool_events.*
    from rejected_tool_events
    left join tool_events on rejected_tool_events.consent_event_id = tool_events.source_key
    where
        case
            when coalesce(rejected_tool_events.reject_reason not like '% is a duplicate', true)
                then rejected_tool_events.consent_status not in ('granted', 'pending')
            else not (
                {%- for column in ['email', 'phone', 'shop_customer_id', 'visitor_id', 'channel', 'purpose', 'consent_status'] %}
                rejected_tool_events.{{ column }} is not distinct from tool_events.{{ column }}{{ ' and' if not loop.last }}
                {%- endfor %}
            )
        end
),

-- An opt-in ends when its row is deleted or becomes unreadable.
silenced_rows as (
    select
        'consent tool' as source_system,
        rejected_tool_events.consent_event_id as source_key,
        min(rejected_tool_events.channel) as channel,
        min(rejected_tool_events.purpose) as purpose,
        '{{ not_said() }}' as consent_status
    from rejected_tool_events
    left join tool_events on rejected_tool_events.consent_event_id = tool_events.source_key
    where rejected_tool_events.consent_event_id is not null and tool_events.source_key is null
    group by rejected_tool_events.consent_event_id
)

{{ union_by_name(
    {
        'tool_events': ['dialled'],
        'usable_rejected_events': [],
        'silenced_rows': [
            'email', 'email_given', 'phone', 'dialled', 'shop_customer_id', 'visitor_id', 'lawful_basis', 'recorded_by', 'form',
            'text_version', 'confirmed_at', 'occurred_at'
        ]
    },
    columns=[
        'source_system', 'source_key', 'email', 'email_given', 'phone', 'dialled', 'shop_customer_id', 'visitor_id', 'channel',
        'purpose', 'consent_status', 'lawful_basis', 'recorded_by', 'form', 'text_version', 'confirmed_at', 'occurred_at'
    ],
    types={'confirmed_at': 'timestamp', 'occurred_at': 'timestamp'}
) }}
