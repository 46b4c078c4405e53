-- Every answer in every system that records consent, as it was given. What it is worth is decided in consent_event_effects.
-- What staging sets aside is no yes, but it may be a no: then it closes. A row that says nothing is there because it may
-- have said something once; the ledger takes it only then.
{% set identifiers = ['email', 'phone', 'shop_customer_id', 'contact_id', 'profile_id', 'visitor_id'] %}
{% set texts = identifiers + ['lawful_basis', 'form', 'text_version', 'email_given'] %}
{% set moments = ['confirmed_at', 'occurred_at'] %}
with own_country as (
    {{ default_country_codes() }}
),

-- The consent tool.
answers as (
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

flawed_answers as (
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

-- Two people under one key are two answers: a copy that says yes counts where it is about another customer than the row that
-- was kept. Every other yes that was set aside opens nothing.
set_aside_answers as (
    select flawed_answers.*
    from flawed_answers
    left join answers on flawed_answers.consent_event_id = answers.source_key
    where
        case
            when coalesce(flawed_answers.reject_reason not like '% is a duplicate', true)
                then flawed_answers.consent_status not in ('granted', 'pending')
            else not (
                {%- for column in ['email', 'phone', 'shop_customer_id', 'visitor_id', 'channel', 'purpose', 'consent_status'] %}
                flawed_answers.{{ column }} is not distinct from answers.{{ column }}{{ ' and' if not loop.last }}
                {%- endfor %}
            )
        end
),

-- A row that said yes once, and can't be read any more or is deleted, says it no longer.
silenced_answers as (
    select
        'consent tool' as source_system,
        flawed_answers.consent_event_id as source_key,
        min(flawed_answers.channel) as channel,
        min(flawed_answers.purpose) as purpose,
        '{{ not_said() }}' as consent_status,
        cast(null as {{ dbt.type_string() }}) as recorded_by
    from flawed_answers
    left join answers on flawed_answers.consent_event_id = answers.source_key
    where flawed_answers.consent_event_id is not null and answers.source_key is null
    group by flawed_answers.consent_event_id
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
    left join {{ base }} as kept on marked.{{ key }} = kept.{{ key }} and kept.reject_reason is null
    where marked.{{ key }} is not null and kept.{{ key }} is null
    {%- endfor %}
),

-- The shop's checkbox and the CRM's, which say when they were last set. A value that can't be read is a no.
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

-- The ESP dates its profiles, not their subscription: a status has no clock. One that Mailroom does not know is a no.
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

-- An event of a profile that is gone still closes: the answer was given.
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
        {{ set_aside_key('flawed.event_id', ['flawed.profile_id', 'flawed.event_type', 'flawed.occurred_at']) }} as source_key,
        flawed.profile_id,
        flawed.event_type,
        case when flawed.event_word <> flawed.event_type then flawed.event_word end as event_word,
        flawed.occurred_at
    from {{ ref('base_esp__flawed_message_events') }} as flawed
    left join {{ ref('stg_esp__message_events') }} as kept
        on
            flawed.event_id = kept.event_id
            and flawed.profile_id = kept.profile_id
            and flawed.event_type = kept.event_type
    where
        flawed.event_type in ('unsubscribed', 'complained')
        and flawed.reject_reason is not null
        and kept.event_id is null
),

-- A profile that is deleted still says whom its refusals are of.
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

-- The browser repeats it with every event; of a day the last one counts.
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

-- An objection counts whatever became of it, an erasure unless it is refused. A request of any other type may be an
-- objection in other words.
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
        'answers': ['email', 'email_given', 'phone', 'shop_customer_id', 'visitor_id', 'lawful_basis', 'form', 'text_version', 'confirmed_at', 'occurred_at'],
        'set_aside_answers': ['email', 'email_given', 'phone', 'dialled', 'shop_customer_id', 'visitor_id', 'lawful_basis', 'form', 'text_version', 'confirmed_at', 'occurred_at'],
        'silenced_answers': [],
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

-- A yes of tomorrow is none yet, and one for an address that can't be read is none.
judged as (
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

given as (
    select
        source_system,
        source_key,
        channel,
        purpose,
        status_today as consent_status,
        recorded_by,
        {{ (texts + ['dialled'] + moments) | join(',\n        ') }}
    from judged
),

-- A no whose address can't be read closes whatever it may have meant.
guessed as (
    {% for address in refused_addresses('email_given') -%}
    select
        source_system,
        source_key,
        {{ address }} as guessed_email
    from given
    where email is null and email_given is not null and consent_status not in ('granted', 'pending', '{{ not_said() }}')
    {{ 'union distinct' if not loop.last }}
    {% endfor %}
),

-- A phone number that staging set aside is still as it was typed.
addressed as (
    select
        given.source_system,
        case
            when guessed.guessed_email is null then given.source_key
            else given.source_key || '/' || guessed.guessed_email
        end as source_key,
        coalesce(given.email, guessed.guessed_email) as email,
        coalesce(
            {{ e164('given.dialled', 'own_country.calling_code', 'own_country.trunk_prefix') }}, given.phone
        ) as phone,
        given.shop_customer_id,
        given.contact_id,
        given.profile_id,
        given.visitor_id,
        given.channel,
        given.purpose,
        given.consent_status,
        given.lawful_basis,
        given.recorded_by,
        given.form,
        given.text_version,
        given.confirmed_at,
        given.occurred_at
    from given
    cross join own_country
    left join guessed
        on
            given.source_system = guessed.source_system
            and given.source_key = guessed.source_key
            and guessed.guessed_email is not null
)

-- What may change under one key (a checkbox, a status, an address) is another event each time it does.
select
    {{ dbt.hash(consent_content()) }} as consent_event_id,
    *
from addressed
