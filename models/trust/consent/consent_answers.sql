-- Each answer and what it is worth today, for each customer, channel and purpose that it speaks of. The rules stand in
-- docs/consent.md, with their sources.
with purposes as (
    select * from {{ ref('consent_purposes') }}
),

jurisdictions as (
    select * from {{ ref('jurisdictions') }}
),

people as (
    select * from {{ ref('answer_customers') }}
),

-- A day that has passed is answered from what was known then; what the first build took in counts as known before.
first_build as (
    select min(recorded_at) as first_recorded_at from {{ ref('consent_history') }}
),

history as (
    select
        history.*,
        first_build.first_recorded_at
    from {{ ref('consent_history') }} as history
    cross join first_build
),

-- A yes without a date counts from before everything. A no without one counts from when it was learned of; what the
-- first build took in may have been said long before, so that on a day before that build it stands as the last word.
dated as (
    select
        *,
        consent_status = 'granted'
        or coalesce(consent_status = 'pending' and confirmed_at <= {{ as_of() }}, false) as is_yes,
        case
            when consent_status in ('granted', 'pending') and confirmed_at <= {{ as_of() }} then confirmed_at
            when occurred_at is not null then occurred_at
            when consent_status = 'granted' then cast('1900-01-01' as timestamp)
            else least(recorded_at, {{ as_of() }})
        end as effective_at
    from history
    where
        case
            when occurred_at is not null then occurred_at <= {{ as_of() }}
            when consent_status = 'granted' then recorded_at <= {{ as_of() }}
            else true
        end
        and (recorded_at <= {{ as_of() }} or recorded_at = first_recorded_at)
),

-- What an answer may name, and what that stands for.
scopes as (
    select
        channel || '/' || purpose as named,
        channel,
        purpose
    from purposes
    {% for named, condition in {
        every_marketing_purpose(): 'is_marketing',
        every_signalled_purpose(): 'stops_on_opt_out_signal',
        every_purpose(): 'true',
    }.items() -%}
    union all
    select
        '{{ named }}' as named,
        channel,
        purpose
    from purposes
    where {{ condition }}
    {% endfor %}
),

-- A no to something that nobody knows closes every marketing purpose; a yes to it, or to several at once, opens nothing.
named as (
    select
        dated.*,
        case
            when purposes.purpose is not null then dated.channel || '/' || dated.purpose
            when dated.is_yes then null
            when dated.purpose in ('{{ every_purpose() }}', '{{ every_signalled_purpose() }}') then dated.purpose
            else '{{ every_marketing_purpose() }}'
        end as named
    from dated
    left join purposes on dated.channel = purposes.channel and dated.purpose = purposes.purpose
),

answers as (
    select
        named.consent_event_id,
        people.customer_id,
        people.subject,
        scopes.channel,
        scopes.purpose,
        named.named in ('{{ every_marketing_purpose() }}', '{{ every_purpose() }}') as is_global,
        named.is_yes,
        named.consent_status,
        named.lawful_basis,
        named.recorded_by,
        people.is_about_one,
        coalesce(named.recorded_by in ('{{ var("consent_by_the_person") | join("', '") }}'), false) as is_by_the_person,
        named.occurred_at is not null as is_dated,
        named.effective_at
    from named
    inner join people on named.consent_event_id = people.consent_event_id
    inner join scopes on named.named = scopes.named
),

closings as (
    select
        customer_id,
        channel,
        purpose,
        min(effective_at) as first_closed_at
    from answers
    where is_global and not is_yes
    group by customer_id, channel, purpose
),

customers as (
    select
        customers.customer_id,
        customers.country_code,
        customers.email,
        customers.first_ordered_at,
        coalesce(jurisdictions.has_soft_opt_in, false) as has_soft_opt_in,
        least(
            coalesce(jurisdictions.implied_purchase_days, jurisdictions.implied_inquiry_days),
            coalesce(jurisdictions.implied_inquiry_days, jurisdictions.implied_purchase_days)
        ) as implied_days
    from {{ ref('customers') }} as customers
    left join jurisdictions on customers.country_code = jurisdictions.country_code
),

weighed as (
    select
        answers.*,
        case
            when answers.is_yes and answers.lawful_basis = 'implied'
                then {{ dbt.dateadd('day', 'customers.implied_days', 'answers.effective_at') }}
        end as expires_at,
        case
            when not answers.is_yes then null
            when not answers.is_about_one then 'more than one customer answers to that address'
            when
                answers.channel = 'email'
                and answers.subject like 'email:%'
                and coalesce(answers.subject <> 'email:' || customers.email, true)
                then 'it was given for another address than the one to write to'
            when answers.lawful_basis is null then 'it names no lawful basis'
            when ', ' || coalesce(purposes.accepted_bases, '') || ',' not like '%, ' || answers.lawful_basis || ',%'
                then replace(answers.lawful_basis, '_', ' ') || ' is no basis for ' || purposes.label
            when answers.lawful_basis = 'soft_opt_in' and not customers.has_soft_opt_in
                then 'there is no soft opt-in in ' || coalesce(customers.country_code, 'a country nobody knows')
            when answers.lawful_basis = 'soft_opt_in' and customers.first_ordered_at is null
                then 'a soft opt-in needs a sale'
            when answers.lawful_basis = 'implied' and customers.implied_days is null
                then 'consent is not implied in ' || coalesce(customers.country_code, 'a country nobody knows')
            when
                answers.lawful_basis = 'implied'
                and {{ dbt.dateadd('day', 'customers.implied_days', 'answers.effective_at') }} <= {{ as_of() }}
                then 'implied consent has lapsed'
            when
                closings.first_closed_at <= answers.effective_at
                and not (answers.is_by_the_person and answers.lawful_basis = 'express')
                then 'only the person can undo an unsubscribe, a complaint or an objection'
        end as void_because
    from answers
    inner join purposes on answers.channel = purposes.channel and answers.purpose = purposes.purpose
    inner join customers on answers.customer_id = customers.customer_id
    left join closings
        on
            answers.customer_id = closings.customer_id
            and answers.channel = closings.channel
            and answers.purpose = closings.purpose
)

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
from weighed
