-- May we, for each customer, channel and purpose, as of as_of(). Anything that is not a yes is a no.
{% set columns = [
    'consent_event_id', 'customer_id', 'subject', 'channel', 'purpose', 'is_yes', 'is_global', 'consent_status', 'lawful_basis',
    'recorded_by', 'void_because', 'is_dated', 'effective_at', 'expires_at'
] | join(', ') %}
{% set answers %}(
        select {{ columns }} from {{ ref('consent_event_effects') }}
        union all
        select {{ columns }} from {{ ref('crowd_consent_events') }}
    ) as answers{% endset %}
with purposes as (
    select * from {{ ref('consent_purposes') }}
),

jurisdictions as (
    select * from {{ ref('jurisdictions') }}
),

-- What an answer was given for has one clock. A yes for another address than the one we write to, or for a phone or device
-- only, lifts the no that was given there, and opens no e-mail.
clocks as (
    select
        *,
        max(case when is_yes then effective_at end) over (partition by customer_id, subject, channel, purpose) as last_yes_at,
        max(case when not is_yes then effective_at end) over (partition by customer_id, subject, channel, purpose) as last_no_at,
        max(case when not is_yes and is_dated then effective_at end) over (
            partition by customer_id, subject, channel, purpose, is_global, consent_status
        ) as last_dated_no_at
    from {{ answers }}
    where void_because is null or void_because in ('{{ for_another_address() }}', '{{ names_no_address() }}')
),

-- The latest counts; of several at one moment the stricter.
by_subject as (
    select
        *,
        row_number() over (
            partition by customer_id, subject, channel, purpose
            order by effective_at desc, is_global desc, consent_event_id asc
        ) as place
    from clocks
    where
        case
            when is_yes then void_because is null and coalesce(effective_at > last_no_at, true)
            else coalesce(effective_at >= last_yes_at, true)
        end
),

-- Of the addresses of one customer the strictest answer counts.
by_customer as (
    select
        *,
        -- One system keeps the no, another the day it was said: that is one no, unless a yes came in between.
        case
            when is_dated then effective_at
            when not is_yes and coalesce(last_dated_no_at >= last_yes_at, true) then last_dated_no_at
        end as said_at,
        row_number() over (
            partition by customer_id, channel, purpose
            order by is_yes asc, is_global desc, effective_at desc, consent_event_id asc, subject asc
        ) as place_of_subject
    from by_subject
    where place = 1
),

-- An answer that is void decides nothing, but says why there is none.
voids as (
    select
        *,
        row_number() over (
            partition by customer_id, channel, purpose
            order by effective_at desc, consent_event_id asc, subject asc
        ) as place
    from {{ answers }}
    where void_because is not null
),

-- CASL s. 10(10)(e): only an inquiry about buying implies consent.
tickets as (
    select
        customer_id,
        max(created_at) as last_inquired_at
    from {{ ref('customer_tickets') }}
    where
        lower(topic) in ('{{ var("buying_inquiry_topics") | join("', '") }}')
        and not asks_to_stop
    group by customer_id
),

-- Where the law takes a purchase or an inquiry for a yes, to marketing e-mail, until so many days later.
implied as (
    select
        customers.customer_id,
        case
            when {{ dbt.dateadd('day', 'jurisdictions.implied_purchase_days', 'customers.last_ordered_at') }} > {{ as_of() }}
                then customers.last_ordered_at
        end as purchased_at,
        {{ dbt.dateadd('day', 'jurisdictions.implied_purchase_days', 'customers.last_ordered_at') }} as purchase_expires_at,
        case
            when {{ dbt.dateadd('day', 'jurisdictions.implied_inquiry_days', 'tickets.last_inquired_at') }} > {{ as_of() }}
                then tickets.last_inquired_at
        end as inquired_at,
        {{ dbt.dateadd('day', 'jurisdictions.implied_inquiry_days', 'tickets.last_inquired_at') }} as inquiry_expires_at
    from {{ ref('customers') }} as customers
    inner join jurisdictions on customers.country_code = jurisdictions.country_code
    left join tickets on customers.customer_id = tickets.customer_id
    {%- if joins_probable() %}
    -- What one record bought implies nothing for another that is only probably the same person.
    left join {{ probable_customers() }} as probable on customers.customer_id = probable.customer_id
    {%- endif %}
    where
        coalesce(jurisdictions.implied_purchase_days, jurisdictions.implied_inquiry_days) is not null
        and customers.email is not null
    {%- if joins_probable() %}
        and probable.customer_id is null
    {%- endif %}
),

asked as (
    select
        customers.customer_id,
        customers.country_code,
        purposes.channel,
        purposes.purpose,
        purposes.label,
        decided.consent_event_id,
        decided.is_yes,
        decided.is_global,
        decided.consent_status,
        decided.lawful_basis,
        decided.recorded_by,
        decided.said_at,
        decided.expires_at,
        voids.void_because,
        voids.consent_event_id as void_event_id,
        decided.consent_event_id is null and implied.purchased_at is not null as is_implied_by_purchase,
        decided.consent_event_id is null and implied.inquired_at is not null as is_implied_by_inquiry,
        implied.purchased_at,
        implied.purchase_expires_at,
        implied.inquired_at,
        implied.inquiry_expires_at,
        decided.consent_event_id is null
        and voids.consent_event_id is null
        and coalesce(jurisdictions.lawful_default = 'granted', false)
        and purposes.purpose = 'marketing_email'
        and purposes.channel = 'email' as is_lawful_by_default
    from {{ ref('customers') }} as customers
    cross join purposes
    left join by_customer as decided
        on
            customers.customer_id = decided.customer_id
            and purposes.channel = decided.channel
            and purposes.purpose = decided.purpose
            and decided.place_of_subject = 1
    left join voids
        on
            customers.customer_id = voids.customer_id
            and purposes.channel = voids.channel
            and purposes.purpose = voids.purpose
            and voids.place = 1
    left join implied
        on
            customers.customer_id = implied.customer_id
            and purposes.channel = 'email'
            and purposes.purpose = 'marketing_email'
    left join jurisdictions on customers.country_code = jurisdictions.country_code
),

answered as (
    select
        *,
        case
            when is_yes then 'granted'
            when consent_status in ('withdrawn', 'denied') then consent_status
            when consent_status is not null then 'denied'
            when is_implied_by_purchase or is_implied_by_inquiry or is_lawful_by_default then 'granted'
            when void_because = '{{ waits_for_confirmation() }}' then 'pending'
            when void_because = 'implied consent has lapsed' then 'lapsed'
            else 'unknown'
        end as status
    from asked
)

select
    customer_id,
    channel,
    purpose,
    status,
    status = 'granted' as is_allowed,
    case
        when status <> 'granted' then null
        when is_yes then lawful_basis
        when is_implied_by_purchase or is_implied_by_inquiry then 'implied'
        else 'opt_out'
    end as lawful_basis,
    case
        when said_at is not null then said_at
        when is_implied_by_purchase then purchased_at
        when is_implied_by_inquiry then inquired_at
    end as since,
    case
        when is_yes then expires_at
        when is_implied_by_purchase then purchase_expires_at
        when is_implied_by_inquiry then inquiry_expires_at
    end as expires_at,
    coalesce(consent_event_id, case when status in ('pending', 'lapsed', 'unknown') then void_event_id end) as deciding_event_id,
    case
        when is_yes then 'Said yes to ' || label
        when status = 'pending' then 'Has not confirmed the yes to ' || label || ' given'
        when is_global and recorded_by = 'esp_complaint' then 'Reported a message as spam'
        when is_global and recorded_by = 'privacy_request' then 'Objected or asked to be erased'
        when is_global then 'Unsubscribed'
        when recorded_by = 'browser_signal' then 'The browser sent an opt-out signal'
        when consent_event_id is not null then 'Said no to ' || label
        when is_implied_by_purchase then 'Bought, which implies a yes to ' || label || ' in ' || country_code
        when is_implied_by_inquiry then 'Asked, which implies a yes to ' || label || ' in ' || country_code
        when is_lawful_by_default then 'Said nothing, which allows ' || label || ' in ' || country_code
        when void_because is not null then 'The yes to ' || label || ' does not count: ' || void_because
        else 'No answer about ' || label || ' is on record'
    end
    || case
        when consent_event_id is null then ''
        when said_at is not null then ' on ' || {{ day_text('said_at') }}
        else ' (date unknown)'
    end
    || case when recorded_by is null then '' else ' (' || replace(recorded_by, '_', ' ') || ')' end
    || case when is_global or recorded_by = 'browser_signal' then ', which closes ' || label else '' end
    || '.' as reason
from answered
