-- Every consent event in every source system, as it was given. consent_event_effects decides its effect. A rejected row is no
-- opt-in, but it may be an opt-out, which counts. Rows with status "not said" are here because they may have said something
-- before; the ledger takes them only then.
{% set identifiers = ['email', 'phone', 'shop_customer_id', 'contact_id', 'profile_id', 'visitor_id'] %}
{% set texts = identifiers + ['lawful_basis', 'form', 'text_version', 'email_given'] %}
{% set moments = ['confirmed_at', 'occurred_at'] %}
with own_country as (
    {{ default_country_codes() }}
),

tool_events as (
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
        '{{ not_said() }}' as consent_status,
        cast(null as {{ dbt.type_string() }}) as recorded_by
    from rejected_tool_events
    left join tool_events on rejected_tool_events.consent_event_id = tool_events.source_key
    where rejected_tool_events.consent_event_id is not null and tool_events.source_key is null
    group by rejected_tool_events.consent_event_id
    {%- for source_system, base, key in [
        ('shop', ref('base_shop__customers'), 'customer_id'), ('crm', ref('base_crm__contacts'), 'contact_id'),
        ('esp profile', ref('base_esp__profiles'), 'profile_id')
    ] %}
    union all
    select
        '{{ source_system }}' as source_system,
        marked.{{ key }} as source_key,
        'email' as channel,
        'marketing_email' as purpose,
        '{{ not_said() }}' as consent_status,
        cast(null as {{ dbt.type_string() }}) as recorded_by
    from {{ marked_keys(base, key) }} as marked
    left join {{ base }} as kept_rows on marked.{{ key }} = kept_rows.{{ key }} and kept_rows.reject_reason is null
    where marked.{{ key }} is not null and kept_rows.{{ key }} is null
    {%- endfor %}
),

-- The checkboxes of the shop and the CRM, with the time of their last change. An unreadable value is an opt-out.
checkboxes as (
    select
        'shop' as source_system,
        case
            when reject_reason is null then customer_id
            else {{ set_aside_key('customer_id', ['email_given', 'accepts_marketing_at']) }}
        end as source_key,
        email,
        email_given,
        customer_id as shop_customer_id,
        cast(null as {{ dbt.type_string() }}) as contact_id,
        case when {{ is_blanked('accepts_marketing') }} then false else accepts_marketing end as is_yes,
        'shop_checkbox' as recorded_by,
        case when {{ is_blanked('accepts_marketing_at') }} then {{ unreadable_date() }} else accepts_marketing_at end as occurred_at,
        reject_reason
    from {{ ref('base_shop__customers') }}
    union all
    select
        'crm' as source_system,
        case
            when reject_reason is null then contact_id
            else {{ set_aside_key('contact_id', ['email_given', 'marketing_consent_at']) }}
        end as source_key,
        email,
        email_given,
        cast(null as {{ dbt.type_string() }}) as shop_customer_id,
        contact_id,
        case when {{ is_blanked('has_marketing_consent') }} then false else has_marketing_consent end as is_yes,
        'crm' as recorded_by,
        case when {{ is_blanked('marketing_consent_at') }} then {{ unreadable_date() }} else marketing_consent_at end as occurred_at,
        reject_reason
    from {{ ref('base_crm__contacts') }}
),

flags as (
    select distinct
        source_system,
        source_key,
        email,
        email_given,
        shop_customer_id,
        contact_id,
        'email' as channel,
        'marketing_email' as purpose,
        case
            when is_yes is null then '{{ not_said() }}'
            when is_yes then 'granted'
            else 'denied'
        end as consent_status,
        'express' as lawful_basis,
        recorded_by,
        occurred_at
    from checkboxes
    where reject_reason is null or is_yes = false
),

-- The ESP dates its profiles but not their subscription status, so the status has no date. An unknown status is an opt-out.
all_profiles as (
    select
        profile_id,
        email,
        email_given,
        coalesce(lower(subscription_status), 'never_subscribed') as subscription_status,
        reject_reason,
        max(case when reject_reason is null then 1 else 0 end) over (partition by profile_id) = 1 as has_kept_row
    from {{ ref('base_esp__profiles') }}
),

subscriptions as (
    select distinct
        'esp profile' as source_system,
        case
            when reject_reason is null then profile_id
            else {{ set_aside_key('profile_id', ['email_given']) }}
        end as source_key,
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
    {% for part, has in {
        'tool_events': ['email', 'email_given', 'phone', 'shop_customer_id', 'visitor_id', 'lawful_basis', 'form', 'text_version', 'confirmed_at', 'occurred_at'],
        'usable_rejected_events': ['email', 'email_given', 'phone', 'dialled', 'shop_customer_id', 'visitor_id', 'lawful_basis', 'form', 'text_version', 'confirmed_at', 'occurred_at'],
        'silenced_rows': [],
        'flags': ['email', 'email_given', 'shop_customer_id', 'contact_id', 'lawful_basis', 'occurred_at'],
        'subscriptions': ['email', 'email_given', 'profile_id', 'lawful_basis'],
        'unsubscribes': ['email', 'email_given', 'profile_id', 'form', 'occurred_at'],
        'signals': ['email', 'shop_customer_id', 'visitor_id', 'occurred_at'],
        'requests': ['email', 'email_given', 'phone', 'dialled', 'shop_customer_id', 'form', 'occurred_at'],
    }.items() -%}
    select
        source_system,
        source_key,
        channel,
        purpose,
        consent_status,
        recorded_by,
        {% for column in texts + ['dialled'] -%}
        {{ column if column in has else 'cast(null as ' ~ dbt.type_string() ~ ') as ' ~ column }},
        {% endfor -%}
        {% for column in moments -%}
        {{ column if column in has else 'cast(null as timestamp) as ' ~ column }}{{ ',' if not loop.last }}
        {% endfor -%}
    from {{ part }}
    {{ 'union all' if not loop.last }}
    {% endfor %}
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
        end as status_today
    from events
),

valid_events as (
    select
        source_system,
        source_key,
        channel,
        purpose,
        status_today as consent_status,
        recorded_by,
        {{ (texts + ['dialled'] + moments) | join(',\n        ') }}
    from checked_events
),

-- An opt-out with an unreadable address counts for every address that it may mean.
guessed_addresses as (
    {% for address in refused_addresses('email_given') -%}
    select
        source_system,
        source_key,
        {{ address }} as guessed_email
    from valid_events
    where email is null and email_given is not null and consent_status not in ('granted', 'pending', '{{ not_said() }}')
    {{ 'union distinct' if not loop.last }}
    {% endfor %}
),

-- Phone numbers of rejected rows are still as typed.
addressed_events as (
    select
        valid_events.source_system,
        case
            when guessed_addresses.guessed_email is null then valid_events.source_key
            else valid_events.source_key || '/' || guessed_addresses.guessed_email
        end as source_key,
        coalesce(valid_events.email, guessed_addresses.guessed_email) as email,
        coalesce(
            {{ e164('valid_events.dialled', 'own_country.calling_code', 'own_country.trunk_prefix') }}, valid_events.phone
        ) as phone,
        valid_events.shop_customer_id,
        valid_events.contact_id,
        valid_events.profile_id,
        valid_events.visitor_id,
        valid_events.channel,
        valid_events.purpose,
        valid_events.consent_status,
        valid_events.lawful_basis,
        valid_events.recorded_by,
        valid_events.form,
        valid_events.text_version,
        valid_events.confirmed_at,
        valid_events.occurred_at
    from valid_events
    cross join own_country
    left join guessed_addresses
        on
            valid_events.source_system = guessed_addresses.source_system
            and valid_events.source_key = guessed_addresses.source_key
            and guessed_addresses.guessed_email is not null
)

-- The key includes the content: each change under one source key (checkbox, status, address) is a new event.
select
    {{ dbt.hash(consent_content()) }} as consent_event_id,
    *
from addressed_events
