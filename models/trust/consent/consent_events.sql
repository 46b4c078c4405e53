-- Every answer in every system that records consent, as it was given. What it is worth is decided in consents.
{% set identifiers = ['email', 'phone', 'shop_customer_id', 'contact_id', 'profile_id', 'visitor_id'] %}
{% set evidence = ['form', 'text_version'] %}
with answers as (
    select
        'consent tool' as source_system,
        consent_event_id as source_key,
        email,
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

checkboxes as (
    select
        'shop' as source_system,
        shop_customer_id as source_key,
        email,
        shop_customer_id,
        'email' as channel,
        'marketing_email' as purpose,
        case when accepts_marketing then 'granted' else 'denied' end as consent_status,
        'express' as lawful_basis,
        'shop_checkbox' as recorded_by,
        accepts_marketing_at as occurred_at
    from {{ ref('stg_shop__customers') }}
    where accepts_marketing is not null
),

contacts as (
    select
        'crm' as source_system,
        contact_id as source_key,
        email,
        contact_id,
        'email' as channel,
        'marketing_email' as purpose,
        case when has_marketing_consent then 'granted' else 'denied' end as consent_status,
        'express' as lawful_basis,
        'crm' as recorded_by,
        marketing_consent_at as occurred_at
    from {{ ref('stg_crm__contacts') }}
    where has_marketing_consent is not null
),

-- The ESP dates its profiles, not their subscription: a status has no clock. One that nobody knows is a no.
subscriptions as (
    select
        'esp profile' as source_system,
        profile_id as source_key,
        email,
        profile_id,
        'email' as channel,
        case when subscription_status = 'unsubscribed' then '{{ every_marketing_purpose() }}' else 'marketing_email' end as purpose,
        case subscription_status
            when 'subscribed' then 'granted'
            when 'unsubscribed' then 'withdrawn'
            else subscription_status
        end as consent_status,
        'express' as lawful_basis,
        'esp' as recorded_by
    from {{ ref('stg_esp__profiles') }}
    where subscription_status <> 'never_subscribed'
),

profiles as (
    select
        profile_id,
        email
    from {{ ref('stg_esp__profiles') }}
),

-- An event of a profile that is gone still closes: the answer was given.
unsubscribes as (
    select
        'esp event' as source_system,
        events.event_id as source_key,
        profiles.email,
        events.profile_id,
        'email' as channel,
        '{{ every_marketing_purpose() }}' as purpose,
        'withdrawn' as consent_status,
        case events.event_type when 'complained' then 'esp_complaint' else 'esp_unsubscribe' end as recorded_by,
        events.occurred_at
    from {{ ref('stg_esp__message_events') }} as events
    left join profiles on events.profile_id = profiles.profile_id
    where events.event_type in ('unsubscribed', 'complained')
),

-- The browser says it anew at each visit; of a day the latest counts. On a device of several people it is said by whoever
-- was logged in.
signals as (
    select
        'browser' as source_system,
        {{ joined('/', ['visitor_id', 'last_shop_customer_id', 'last_email', day_text('ended_at')]) }} as source_key,
        last_email as email,
        last_shop_customer_id as shop_customer_id,
        visitor_id,
        'web' as channel,
        '{{ every_signalled_purpose() }}' as purpose,
        'withdrawn' as consent_status,
        'browser_signal' as recorded_by,
        max(ended_at) as occurred_at
    from {{ ref('stg_web__sessions') }}
    where has_opt_out_signal
    group by visitor_id, last_shop_customer_id, last_email, cast(ended_at as date)
),

objections as (
    select
        'privacy desk' as source_system,
        request_id as source_key,
        email,
        phone,
        shop_customer_id,
        'email' as channel,
        '{{ every_purpose() }}' as purpose,
        'withdrawn' as consent_status,
        'privacy_request' as recorded_by,
        received_at as occurred_at
    from {{ ref('stg_privacy__requests') }}
    where request_type in ('objection', 'erasure') and request_status <> 'refused'
),

-- What staging sets aside is no yes, but it may have been a no: then it closes. A copy of what is kept, and what lies in
-- the future, does not.
flawed_answers as (
    select distinct
        'consent tool' as source_system,
        {{ joined('/', [
            "'set aside'", 'consent_event_id', 'email', 'phone', 'customer_id', 'visitor_id', 'channel', 'purpose', 'recorded_by'
        ]) }} as source_key,
        email,
        phone,
        customer_id as shop_customer_id,
        visitor_id,
        coalesce(lower(channel), 'not given') as channel,
        '{{ every_marketing_purpose() }}' as purpose,
        coalesce(lower(status), 'not given') as consent_status,
        lower(recorded_by) as recorded_by,
        occurred_at
    from {{ ref('base_privacy__consent_events') }}
    where
        reject_reason not like '% is a duplicate'
        and reject_reason not like '% is after as_of'
        and coalesce(lower(status), '') <> 'granted'
),

flawed_requests as (
    select distinct
        'privacy desk' as source_system,
        {{ joined('/', ["'set aside'", 'request_id', 'email', 'phone', 'customer_id', 'request_type', 'status']) }} as source_key,
        email,
        phone,
        customer_id as shop_customer_id,
        'email' as channel,
        '{{ every_marketing_purpose() }}' as purpose,
        'withdrawn' as consent_status,
        'privacy_request' as recorded_by,
        received_at as occurred_at
    from {{ ref('base_privacy__requests') }}
    where
        reject_reason not like '% is a duplicate'
        and reject_reason not like '% is after as_of'
        and coalesce(request_type, '') not in ('access', 'rectification', 'portability')
        and coalesce(status, '') <> 'refused'
),

events as (
    {% for part, has in {
        'answers': ['email', 'phone', 'shop_customer_id', 'visitor_id', 'lawful_basis', 'form', 'text_version', 'confirmed_at', 'occurred_at'],
        'checkboxes': ['email', 'shop_customer_id', 'lawful_basis', 'occurred_at'],
        'contacts': ['email', 'contact_id', 'lawful_basis', 'occurred_at'],
        'subscriptions': ['email', 'profile_id', 'lawful_basis'],
        'unsubscribes': ['email', 'profile_id', 'occurred_at'],
        'signals': ['email', 'shop_customer_id', 'visitor_id', 'occurred_at'],
        'objections': ['email', 'phone', 'shop_customer_id', 'occurred_at'],
        'flawed_answers': ['email', 'phone', 'shop_customer_id', 'visitor_id', 'occurred_at'],
        'flawed_requests': ['email', 'phone', 'shop_customer_id', 'occurred_at'],
    }.items() -%}
    select
        source_system,
        source_key,
        channel,
        purpose,
        consent_status,
        recorded_by,
        {% for column in identifiers + ['lawful_basis'] + evidence -%}
        {{ column if column in has else 'cast(null as ' ~ dbt.type_string() ~ ') as ' ~ column }},
        {% endfor -%}
        {{ 'confirmed_at' if 'confirmed_at' in has else 'cast(null as timestamp) as confirmed_at' }},
        {{ 'occurred_at' if 'occurred_at' in has else 'cast(null as timestamp) as occurred_at' }}
    from {{ part }}
    {{ 'union all' if not loop.last }}
    {% endfor %}
)

-- What may change under one key (a checkbox, a status, a confirmation) is another event each time it does.
select
    {{ dbt.hash(
        "source_system || '/' || source_key || '/' || purpose || '/' || consent_status"
        ~ " || '/' || coalesce(cast(confirmed_at as " ~ dbt.type_string() ~ "), '')"
        ~ " || '/' || coalesce(cast(occurred_at as " ~ dbt.type_string() ~ "), '')"
    ) }} as consent_event_id,
    source_system,
    source_key,
    email,
    phone,
    shop_customer_id,
    contact_id,
    profile_id,
    visitor_id,
    channel,
    purpose,
    consent_status,
    lawful_basis,
    recorded_by,
    {{ evidence | join(',\n    ') }},
    confirmed_at,
    occurred_at
from events
