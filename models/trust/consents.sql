-- The consent decision per customer, channel and purpose, as of as_of(). Without a valid opt-in it is no.
-- Longer than 120 lines because the decision and its reason need the same facts: deciding events, void opt-ins and implied
-- consent.
with purposes as (
    select * from {{ ref('consent_purposes') }}
),

jurisdictions as (
    select * from {{ ref('jurisdictions') }}
),

consent_events as (
    {% for effects in [ref('consent_event_effects'), ref('crowd_consent_events')] -%}
    select
        consent_event_id,
        customer_id,
        subject,
        channel,
        purpose,
        is_yes,
        is_global,
        consent_status,
        lawful_basis,
        recorded_by,
        void_because,
        is_dated,
        effective_at,
        expires_at
    from {{ effects }}
    {{ 'union all' if not loop.last }}
    {% endfor %}
),

-- Each address, phone number and device (subject) has its own timeline. An opt-in for an address other than the current one, or
-- for a phone or device only, ends the opt-out for that subject and allows no e-mail.
timed_events as (
    select
        *,
        max(case when is_yes then effective_at end) over (partition by customer_id, subject, channel, purpose) as last_yes_at,
        max(case when not is_yes then effective_at end) over (partition by customer_id, subject, channel, purpose) as last_no_at,
        max(case when not is_yes and is_dated then effective_at end) over (
            partition by customer_id, subject, channel, purpose, is_global, consent_status
        ) as last_dated_no_at
    from consent_events
    where void_because is null or void_because in ('{{ for_another_address() }}', '{{ names_no_address() }}')
),

-- The latest event counts. Of several at one moment the stricter one counts.
subject_decisions as (
    select
        *,
        row_number() over (
            partition by customer_id, subject, channel, purpose
            order by effective_at desc, is_global desc, consent_event_id asc
        ) as place
    from timed_events
    where
        case
            when is_yes then void_because is null and coalesce(effective_at > last_no_at, true)
            else coalesce(effective_at >= last_yes_at, true)
        end
),

-- Of all addresses of a customer the strictest event counts.
customer_decisions as (
    select
        *,
        -- An undated opt-out takes the date of the same opt-out in another system, unless an opt-in lies between them.
        case
            when is_dated then effective_at
            when not is_yes and coalesce(last_dated_no_at >= last_yes_at, true) then last_dated_no_at
        end as given_at,
        row_number() over (
            partition by customer_id, channel, purpose
            order by is_yes asc, is_global desc, effective_at desc, consent_event_id asc, subject asc
        ) as subject_place
    from subject_decisions
    where place = 1
),

-- A void opt-in decides nothing, but gives the reason.
void_opt_ins as (
    select
        *,
        row_number() over (
            partition by customer_id, channel, purpose
            order by effective_at desc, consent_event_id asc, subject asc
        ) as place
    from consent_events
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

-- If the law implies consent to marketing e-mail from a purchase or an inquiry, it lasts for so many days.
implied_consents as (
    select
        customers.customer_id,
        case
            when {{ date_add('day', 'jurisdictions.implied_purchase_days', 'customers.last_ordered_at') }} > {{ as_of() }}
                then customers.last_ordered_at
        end as purchased_at,
        {{ date_add('day', 'jurisdictions.implied_purchase_days', 'customers.last_ordered_at') }} as purchase_expires_at,
        case
            when {{ date_add('day', 'jurisdictions.implied_inquiry_days', 'tickets.last_inquired_at') }} > {{ as_of() }}
                then tickets.last_inquired_at
        end as inquired_at,
        {{ date_add('day', 'jurisdictions.implied_inquiry_days', 'tickets.last_inquired_at') }} as inquiry_expires_at
    from {{ ref('customers') }} as customers
    inner join jurisdictions on customers.country_code = jurisdictions.country_code
    left join tickets on customers.customer_id = tickets.customer_id
    {%- if joins_probable() %}
    -- A purchase implies nothing for a record that only probably belongs to the same person.
    left join {{ probable_customers() }} as probable on customers.customer_id = probable.customer_id
    {%- endif %}
    where
        coalesce(jurisdictions.implied_purchase_days, jurisdictions.implied_inquiry_days) is not null
        and customers.email is not null
    {%- if joins_probable() %}
        and probable.customer_id is null
    {%- endif %}
),

customer_purposes as (
    select
        customers.customer_id,
        customers.country_code,
        purposes.channel,
        purposes.purpose,
        purposes.label,
        decisions.consent_event_id,
        decisions.is_yes,
        decisions.is_global,
        decisions.consent_status,
        decisions.lawful_basis,
        decisions.recorded_by,
        decisions.given_at,
        decisions.expires_at,
        void_opt_ins.void_because,
        void_opt_ins.consent_event_id as void_event_id,
        decisions.consent_event_id is null and implied_consents.purchased_at is not null as is_implied_by_purchase,
        decisions.consent_event_id is null and implied_consents.inquired_at is not null as is_implied_by_inquiry,
        implied_consents.purchased_at,
        implied_consents.purchase_expires_at,
        implied_consents.inquired_at,
        implied_consents.inquiry_expires_at,
        decisions.consent_event_id is null
        and void_opt_ins.consent_event_id is null
        and coalesce(jurisdictions.lawful_default = 'granted', false)
        and purposes.purpose = 'marketing_email'
        and purposes.channel = 'email' as is_lawful_by_default
    from {{ ref('customers') }} as customers
    cross join purposes
    left join customer_decisions as decisions
        on
            customers.customer_id = decisions.customer_id
            and purposes.channel = decisions.channel
            and purposes.purpose = decisions.purpose
            and decisions.subject_place = 1
    left join void_opt_ins
        on
            customers.customer_id = void_opt_ins.customer_id
            and purposes.channel = void_opt_ins.channel
            and purposes.purpose = void_opt_ins.purpose
            and void_opt_ins.place = 1
    left join implied_consents
        on
            customers.customer_id = implied_consents.customer_id
            and purposes.channel = 'email'
            and purposes.purpose = 'marketing_email'
    left join jurisdictions on customers.country_code = jurisdictions.country_code
),

purpose_statuses as (
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
    from customer_purposes
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
        when given_at is not null then given_at
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
        when is_yes then 'Opted in to ' || label
        when status = 'pending' then 'The opt-in to ' || label || ' is not confirmed yet'
        when is_global and recorded_by = 'esp_complaint' then 'Reported a message as spam'
        when is_global and recorded_by = 'privacy_request' then 'Objected or requested erasure'
        when is_global then 'Unsubscribed'
        when recorded_by = 'browser_signal' then 'The browser sent an opt-out signal'
        when consent_event_id is not null then 'Opted out of ' || label
        when is_implied_by_purchase then 'A purchase implies consent to ' || label || ' in ' || country_code
        when is_implied_by_inquiry then 'An inquiry implies consent to ' || label || ' in ' || country_code
        when is_lawful_by_default then 'The law of ' || country_code || ' allows ' || label || ' without an opt-in'
        when void_because is not null then 'The opt-in to ' || label || ' does not count: ' || void_because
        else 'No consent to ' || label || ' on record'
    end
    || case
        when consent_event_id is null then ''
        when given_at is not null then ' on ' || {{ day_text('given_at') }}
        else ' (date unknown)'
    end
    || case when recorded_by is null then '' else ' (' || replace(recorded_by, '_', ' ') || ')' end
    || case when is_global or recorded_by = 'browser_signal' then ', which stops ' || label else '' end
    || '.' as reason
from purpose_statuses
