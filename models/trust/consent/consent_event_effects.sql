-- Each answer and what it is worth today, for each customer, channel and purpose that it speaks of. The rules stand in
-- docs/consent.md, with their sources. Of a crowd: for those whom consent_event_customers has; for all others see crowd_consent_events.
with purposes as (
    select * from {{ ref('consent_purposes') }}
),

jurisdictions as (
    select * from {{ ref('jurisdictions') }}
),

-- What is about a crowd is about all of it.
people as (
    select
        *,
        coalesce(crowd, customer_id) as whom
    from {{ ref('consent_event_customers') }}
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

known as (
    select
        history.*,
        max(history.recorded_at) over (partition by history.source_system, history.source_key) as row_changed_at,
        history.consent_status in ('granted', 'pending') as is_yes,
        -- Dates of before the shop, and of after the build that recorded them, can't be right.
        coalesce(
            history.occurred_at between cast('{{ var("founded_on") }}' as timestamp) and history.recorded_at, false
        ) as has_likely_date
    from history
    where history.recorded_at <= {{ as_of() }} or history.recorded_at = history.first_recorded_at
),

-- A yes without a date counts from before everything. A no without a likely one counts from when it was learned of; what
-- the first build took in may have been said long before, so that on a day before that build it stands as the last word.
-- A no of a day without an hour counts to the end of that day, and one with a later confirmation from that.
dated as (
    select
        *,
        case when is_yes then occurred_at is not null else has_likely_date end as is_dated,
        case
            when is_yes then coalesce(confirmed_at, occurred_at, cast('1900-01-01' as timestamp))
            when not has_likely_date then least(recorded_at, {{ as_of() }})
            when confirmed_at > occurred_at then least(confirmed_at, recorded_at)
            when not {{ has_time('occurred_at') }}
                then least({{ dbt.dateadd('second', 86399, 'occurred_at') }}, recorded_at)
            else occurred_at
        end as effective_at,
        case
            when not is_yes then null
            -- Only what a row says now can be a yes.
            when row_changed_at > recorded_at then 'the row that held it says something else by now'
            when occurred_at < cast('{{ var("founded_on") }}' as timestamp) then 'it is dated before the shop was founded'
            when
                (consent_status = 'pending' and confirmed_at is null)
                or confirmed_at < cast('{{ var("founded_on") }}' as timestamp)
                or confirmed_at > {{ as_of() }}
                then '{{ waits_for_confirmation() }}'
        end as is_no_yes_because
    from known
    where
        consent_status <> '{{ not_said() }}'
        and case
            when is_yes then coalesce(occurred_at, recorded_at) <= {{ as_of() }}
            else not has_likely_date or occurred_at <= {{ as_of() }}
        end
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

-- A no to something that the register lacks closes every marketing purpose; a yes to it, or to several at once, opens nothing.
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

-- Yeses of rows that were set aside, and whom the row of their key that was kept is about.
copies as (
    select distinct
        source_system,
        {{ row_of('source_key') }} as row_of
    from dated
    where is_yes and {{ is_set_aside('source_key') }}
),

kept as (
    select distinct
        copies.source_system,
        copies.row_of,
        people.whom
    from dated
    inner join copies on dated.source_system = copies.source_system and {{ row_of('dated.source_key') }} = copies.row_of
    inner join people on dated.consent_event_id = people.consent_event_id
    where not {{ is_set_aside('dated.source_key') }} and dated.recorded_at = dated.row_changed_at
),

answers as (
    select
        named.consent_event_id,
        people.customer_id,
        people.crowd,
        people.subject,
        people.mailbox,
        people.has_mailbox_today,
        scopes.channel,
        scopes.purpose,
        named.named in ('{{ every_marketing_purpose() }}', '{{ every_purpose() }}') as is_global,
        named.is_yes,
        named.consent_status,
        named.lawful_basis,
        named.recorded_by,
        named.phone,
        people.is_about_one,
        kept.whom is not null as is_a_copy,
        -- Who confirms a double opt-in has answered from the mailbox, whatever system took it down.
        coalesce(named.recorded_by in ('{{ var("consent_by_the_person") | join("', '") }}'), false)
        or named.confirmed_at is not null as is_by_the_person,
        named.is_no_yes_because,
        named.is_dated,
        named.effective_at
    from named
    inner join people on named.consent_event_id = people.consent_event_id
    inner join scopes on named.named = scopes.named
    left join kept
        on
            {{ is_set_aside('named.source_key') }}
            and named.source_system = kept.source_system
            and {{ row_of('named.source_key') }} = kept.row_of
            and people.whom = kept.whom
),

crowd_closings as (
    select
        crowd,
        channel,
        purpose,
        min(effective_at) as first_closed_at
    from answers
    where is_global and not is_yes and crowd is not null
    group by crowd, channel, purpose
),

closings as (
    select
        customer_id,
        channel,
        purpose,
        min(closed_at) as first_closed_at
    from (
        select
            customer_id,
            channel,
            purpose,
            effective_at as closed_at
        from answers
        where is_global and not is_yes
        union all
        select
            crowd_customers.customer_id,
            crowd_closings.channel,
            crowd_closings.purpose,
            crowd_closings.first_closed_at as closed_at
        from crowd_closings
        inner join {{ ref('crowd_customers') }} as crowd_customers on crowd_closings.crowd = crowd_customers.crowd
    ) as closed
    group by customer_id, channel, purpose
),

customers as (
    select
        customers.customer_id,
        customers.country_code,
        customers.mailbox,
        customers.phone,
        coalesce(jurisdictions.has_soft_opt_in, false) as has_soft_opt_in,
        least(
            coalesce(jurisdictions.implied_purchase_days, jurisdictions.implied_inquiry_days),
            coalesce(jurisdictions.implied_inquiry_days, jurisdictions.implied_purchase_days)
        ) as implied_days
    from {{ with_mailboxes(ref('customers')) }} as customers
    left join jurisdictions on customers.country_code = jurisdictions.country_code
),

-- Which mailboxes came from a sale: an order carries them, or the shop account that it was placed through has them.
soft_opt_ins as (
    select distinct customer_id from answers where is_yes and lawful_basis = 'soft_opt_in'
),

sales as (
    select distinct
        order_customers.customer_id,
        orders.email,
        'shop_customer:' || orders.shop_customer_id as record_key
    from {{ ref('order_customers') }} as order_customers
    inner join soft_opt_ins on order_customers.customer_id = soft_opt_ins.customer_id
    inner join {{ ref('stg_shop__orders') }} as orders on order_customers.order_id = orders.order_id
    where order_customers.is_sale
),

sale_mailboxes as (
    select
        customer_id,
        mailbox
    from {{ with_mailboxes('sales') }} as addressed_sales
    where email is not null
    union distinct
    select
        sales.customer_id,
        points.mailbox
    from sales
    inner join {{ ref('contact_point_customers') }} as points
        on sales.record_key = points.record_key and points.contact_type = 'email'
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
            when answers.is_no_yes_because is not null then answers.is_no_yes_because
            when answers.is_a_copy then 'its system has another row of that key about the same customer'
            when not answers.is_about_one then 'more than one customer answers to that address'
            {%- if joins_probable() %}
            -- No yes goes from one to the other of two records that are probably one person's. A no does.
            when
                probable.customer_id is not null
                and coalesce(answers.mailbox <> customers.mailbox, true)
                and not (answers.channel = 'sms' and coalesce(answers.phone = customers.phone, false))
                then 'it was given on a record that is only probably the same person'
            {%- endif %}
            when answers.channel <> 'email' and not answers.has_mailbox_today then 'it was given for an address that the customer no longer has'
            when answers.channel = 'sms' and answers.phone <> customers.phone then 'it was given for another number than the one to write to'
            when answers.lawful_basis is null then 'it names no lawful basis'
            when ', ' || coalesce(purposes.accepted_bases, '') || ',' not like '%, ' || answers.lawful_basis || ',%'
                then replace(answers.lawful_basis, '_', ' ') || ' is no basis for ' || purposes.label
            when answers.lawful_basis = 'soft_opt_in' and not customers.has_soft_opt_in
                then 'there is no soft opt-in in ' || coalesce(customers.country_code, 'an unknown country')
            when answers.lawful_basis = 'soft_opt_in' and sale_mailboxes.customer_id is null
                then 'a soft opt-in needs a sale that the address came from'
            when answers.lawful_basis = 'implied' and customers.implied_days is null
                then 'consent is not implied in ' || coalesce(customers.country_code, 'an unknown country')
            when
                answers.lawful_basis = 'implied'
                and {{ dbt.dateadd('day', 'customers.implied_days', 'answers.effective_at') }} <= {{ as_of() }}
                then 'implied consent has lapsed'
            when
                closings.first_closed_at <= answers.effective_at
                and not (answers.is_by_the_person and answers.lawful_basis = 'express')
                then 'only the person can undo an unsubscribe, a complaint or an objection'
            -- The last ones asked: a yes with no other fault lifts a no to what it was given for.
            when answers.channel = 'email' and answers.mailbox is null then '{{ names_no_address() }}'
            when answers.channel = 'email' and coalesce(answers.mailbox <> customers.mailbox, true)
                then '{{ for_another_address() }}'
        end as void_because
    from answers
    inner join purposes on answers.channel = purposes.channel and answers.purpose = purposes.purpose
    inner join customers on answers.customer_id = customers.customer_id
    {%- if joins_probable() %}
    left join {{ probable_customers() }} as probable on answers.customer_id = probable.customer_id
    {%- endif %}
    left join closings
        on
            answers.customer_id = closings.customer_id
            and answers.channel = closings.channel
            and answers.purpose = closings.purpose
    left join sale_mailboxes
        on
            answers.lawful_basis = 'soft_opt_in'
            and answers.customer_id = sale_mailboxes.customer_id
            and answers.mailbox = sale_mailboxes.mailbox
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
