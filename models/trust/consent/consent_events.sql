-- Every consent event in every source system, as it was given. consent_event_effects decides its effect. A rejected row is no
-- opt-in, but it may be an opt-out, which counts. Rows with status "not said" are here because they may have said something
-- before; the ledger takes them only then.
-- Longer than 120 lines because browser signals and privacy requests, one select each, have no model of their own.
with own_country as (
    {{ default_country_codes() }}
),

tool_events as (
    select * from {{ ref('consent_tool_events') }}
),

checkbox_events as (
    select * from {{ ref('consent_checkbox_events') }}
),

esp_events as (
    select * from {{ ref('consent_esp_events') }}
),

-- The browser repeats the signal with every event. Only the last one of a day counts.
signals as (
    select
        'browser' as source_system,
        signal_key as source_key,
        email,
        shop_customer_id,
        visitor_id,
        'web' as channel,
        '{{ every_signalled_purpose() }}' as purpose,
        'withdrawn' as consent_status,
        'browser_signal' as recorded_by,
        sent_at as occurred_at
    from {{ ref('stg_web__opt_out_signals') }}
),

-- An objection counts whatever its status, an erasure unless it is refused. A request of an unknown type may be an objection in
-- other words.
requests as (
    select distinct
        'privacy desk' as source_system,
        case
            when reject_reason is null then request_id
            else
                {{ set_aside_key('request_id', ['email', 'email_given', 'phone', 'customer_id', 'request_type', 'received_at']) }}
        end as source_key,
        email,
        email_given,
        phone,
        {{ dialled_phone('phone') }} as dialled,
        customer_id as shop_customer_id,
        'email' as channel,
        '{{ every_purpose() }}' as purpose,
        'withdrawn' as consent_status,
        'privacy_request' as recorded_by,
        coalesce(lower(trim(request_type)), 'not given') as form,
        received_at as occurred_at
    from {{ ref('base_privacy__requests') }}
    where
        coalesce(lower(trim(request_type)), 'not given') not in ('access', 'rectification', 'portability')
        and not coalesce(lower(trim(request_type)) = 'erasure' and lower(trim(status)) = 'refused', false)
),

events as (
    {{ union_by_name(
        {
            'tool_events': ['contact_id', 'profile_id'],
            'checkbox_events': ['phone', 'dialled', 'profile_id', 'visitor_id', 'form', 'text_version', 'confirmed_at'],
            'esp_events': ['phone', 'dialled', 'shop_customer_id', 'contact_id', 'visitor_id', 'text_version', 'confirmed_at'],
            'signals': [
                'email_given', 'phone', 'dialled', 'contact_id', 'profile_id', 'lawful_basis', 'form', 'text_version', 'confirmed_at'
            ],
            'requests': ['contact_id', 'profile_id', 'visitor_id', 'lawful_basis', 'text_version', 'confirmed_at']
        },
        columns=[
            'source_system', 'source_key', 'email', 'email_given', 'phone', 'dialled', 'shop_customer_id', 'contact_id', 'profile_id',
            'visitor_id', 'channel', 'purpose', 'consent_status', 'lawful_basis', 'recorded_by', 'form', 'text_version', 'confirmed_at',
            'occurred_at'
        ],
        types={'confirmed_at': 'timestamp'}
    ) }}
),

-- An opt-in with a future date, or for an unreadable address, does not count.
checked_events as (
    select
        *,
        case
            when
                consent_status in ('granted', 'pending')
                and (occurred_at > {{ as_of() }} or (email is null and email_given is not null))
                then '{{ not_said() }}'
            else consent_status
        end as valid_status
    from events
),

-- An opt-out with an unreadable address counts for every address that it may mean.
guessed_addresses as (
    {% for address in refused_addresses('email_given') -%}
    select
        source_system,
        source_key,
        {{ address }} as guessed_email
    from checked_events
    where email is null and email_given is not null and valid_status not in ('granted', 'pending', '{{ not_said() }}')
    {{ 'union distinct' if not loop.last }}
    {% endfor %}
),

-- Phone numbers of rejected rows are still as typed.
addressed_events as (
    select
        checked_events.source_system,
        case
            when guessed_addresses.guessed_email is null then checked_events.source_key
            else checked_events.source_key || '/' || guessed_addresses.guessed_email
        end as source_key,
        coalesce(checked_events.email, guessed_addresses.guessed_email) as email,
        coalesce(
            {{ e164('checked_events.dialled', 'own_country.calling_code', 'own_country.trunk_prefix') }}, checked_events.phone
        ) as phone,
        checked_events.shop_customer_id,
        checked_events.contact_id,
        checked_events.profile_id,
        checked_events.visitor_id,
        checked_events.channel,
        checked_events.purpose,
        checked_events.valid_status as consent_status,
        checked_events.lawful_basis,
        checked_events.recorded_by,
        checked_events.form,
        checked_events.text_version,
        checked_events.confirmed_at,
        checked_events.occurred_at
    from checked_events
    cross join own_country
    left join guessed_addresses
        on
            checked_events.source_system = guessed_addresses.source_system
            and checked_events.source_key = guessed_addresses.source_key
            and guessed_addresses.guessed_email is not null
)

-- The key includes the content: each change under one source key (checkbox, status, address) is a new event.
select
    {{ dbt.hash(consent_content()) }} as consent_event_id,
    *
from addressed_events
