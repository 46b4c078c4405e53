-- The effect of each consent event today, per customer, channel and purpose. The rules and their sources are in
-- docs/consent.md. Of a crowd only the customers in consent_event_customers are here; for the rest see crowd_consent_events.
-- Longer than 120 lines because the reasons that void an opt-in are one list in order of precedence, and each CTE gives a fact
-- that it needs.
with purposes as (
    select * from {{ ref('consent_purposes') }}
),

jurisdictions as (
    select * from {{ ref('jurisdictions') }}
),

-- An event about a crowd counts once for the whole crowd.
event_customers as (
    select
        *,
        coalesce(crowd, customer_id) as customer_or_crowd
    from {{ ref('consent_event_customers') }}
),

-- A past day is decided from what was recorded by then. Events of the first build count as recorded before.
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

known_events as (
    select
        history.*,
        max(history.recorded_at) over (partition by history.source_system, history.source_key) as row_changed_at,
        history.consent_status in ('granted', 'pending') as is_yes,
        -- A date before the shop was founded, or after the build that recorded it, is wrong.
        coalesce(
            history.occurred_at between cast('{{ var("founded_on") }}' as timestamp) and history.recorded_at, false
        ) as has_likely_date
    from history
    where history.recorded_at <= {{ as_of() }} or history.recorded_at = history.first_recorded_at
),

-- An opt-in without a date counts as the oldest event. An opt-out without a likely date counts from the day it was recorded.
-- One of the first build may be much older, so on a day before that build it is the latest event. An opt-out with a day but no
-- hour counts from the end of that day, and one with a later confirmation from the confirmation.
dated_events as (
    select
        *,
        case when is_yes then occurred_at is not null else has_likely_date end as is_dated,
        case
            when is_yes then coalesce(confirmed_at, occurred_at, cast('1900-01-01' as timestamp))
            when not has_likely_date then least(recorded_at, {{ as_of() }})
            when confirmed_at > occurred_at then least(confirmed_at, recorded_at)
            when not {{ has_time('occurred_at') }}
                then least({{ date_add('second', 86399, 'occurred_at') }}, recorded_at)
            else occurred_at
        end as effective_at,
        case
            when not is_yes then null
            -- Only the current content of a row can be an opt-in.
            when row_changed_at > recorded_at then 'its row has changed since'
            when occurred_at < cast('{{ var("founded_on") }}' as timestamp) then 'it is dated before the shop was founded'
            when
                (consent_status = 'pending' and confirmed_at is null)
                or confirmed_at < cast('{{ var("founded_on") }}' as timestamp)
                or confirmed_at > {{ as_of() }}
                then '{{ waits_for_confirmation() }}'
        end as event_void_because
    from known_events
    where
        consent_status <> '{{ not_said() }}'
        and case
            when is_yes then coalesce(occurred_at, recorded_at) <= {{ as_of() }}
            else not has_likely_date or occurred_at <= {{ as_of() }}
        end
),

-- The scopes an event may name, and the purposes in each.
scopes as (
    select
        channel || '/' || purpose as scope_name,
        channel,
        purpose
    from purposes
    {% for scope_name, condition in {
        every_marketing_purpose(): 'is_marketing',
        every_signalled_purpose(): 'stops_on_opt_out_signal',
        every_purpose(): 'true',
    }.items() -%}
    union all
    select
        '{{ scope_name }}' as scope_name,
        channel,
        purpose
    from purposes
    where {{ condition }}
    {% endfor %}
),

-- An opt-out of an unregistered purpose stops all marketing. An opt-in to it, or to several purposes at once, allows nothing.
scoped_events as (
    select
        dated_events.*,
        case
            when purposes.purpose is not null then dated_events.channel || '/' || dated_events.purpose
            when dated_events.is_yes then null
            when dated_events.purpose in ('{{ every_purpose() }}', '{{ every_signalled_purpose() }}') then dated_events.purpose
            else '{{ every_marketing_purpose() }}'
        end as scope_name
    from dated_events
    left join purposes on dated_events.channel = purposes.channel and dated_events.purpose = purposes.purpose
),

-- Opt-ins of rejected rows, and the customers of the kept row with the same key.
copied_opt_ins as (
    select distinct
        source_system,
        {{ row_of('source_key') }} as row_of
    from dated_events
    where is_yes and {{ is_set_aside('source_key') }}
),

kept_rows as (
    select distinct
        copied_opt_ins.source_system,
        copied_opt_ins.row_of,
        event_customers.customer_or_crowd
    from dated_events
    inner join copied_opt_ins
        on
            dated_events.source_system = copied_opt_ins.source_system
            and {{ row_of('dated_events.source_key') }} = copied_opt_ins.row_of
    inner join event_customers on dated_events.consent_event_id = event_customers.consent_event_id
    where not {{ is_set_aside('dated_events.source_key') }} and dated_events.recorded_at = dated_events.row_changed_at
),

customer_events as (
    select
        scoped_events.consent_event_id,
        event_customers.customer_id,
        event_customers.crowd,
        event_customers.subject,
        event_customers.mailbox,
        event_customers.has_mailbox_today,
        scopes.channel,
        scopes.purpose,
        scoped_events.scope_name in ('{{ every_marketing_purpose() }}', '{{ every_purpose() }}') as is_global,
        scoped_events.is_yes,
        scoped_events.consent_status,
        scoped_events.lawful_basis,
        scoped_events.recorded_by,
        scoped_events.phone,
        event_customers.is_about_one,
        kept_rows.customer_or_crowd is not null as is_a_copy,
        -- A confirmed double opt-in comes from the mailbox itself, whichever system recorded it.
        coalesce(scoped_events.recorded_by in ('{{ var("consent_by_the_person") | join("', '") }}'), false)
        or scoped_events.confirmed_at is not null as is_by_the_person,
        scoped_events.event_void_because,
        scoped_events.is_dated,
        scoped_events.effective_at
    from scoped_events
    inner join event_customers on scoped_events.consent_event_id = event_customers.consent_event_id
    inner join scopes on scoped_events.scope_name = scopes.scope_name
    left join kept_rows
        on
            {{ is_set_aside('scoped_events.source_key') }}
            and scoped_events.source_system = kept_rows.source_system
            and {{ row_of('scoped_events.source_key') }} = kept_rows.row_of
            and event_customers.customer_or_crowd = kept_rows.customer_or_crowd
),

crowd_closings as (
    select
        crowd,
        channel,
        purpose,
        min(effective_at) as first_closed_at
    from customer_events
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
        from customer_events
        where is_global and not is_yes
        union all
        select
            crowd_customers.customer_id,
            crowd_closings.channel,
            crowd_closings.purpose,
            crowd_closings.first_closed_at as closed_at
        from crowd_closings
        inner join {{ ref('crowd_customers') }} as crowd_customers on crowd_closings.crowd = crowd_customers.crowd
    ) as closing_events
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

-- Mailboxes from a sale: the address of the order, or of the shop account that placed it.
soft_opt_ins as (
    select distinct customer_id from customer_events where is_yes and lawful_basis = 'soft_opt_in'
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

validated_events as (
    select
        customer_events.*,
        case
            when customer_events.is_yes and customer_events.lawful_basis = 'implied'
                then {{ date_add('day', 'customers.implied_days', 'customer_events.effective_at') }}
        end as expires_at,
        case
            when not customer_events.is_yes then null
            when customer_events.event_void_because is not null then customer_events.event_void_because
            when customer_events.is_a_copy then 'its system has another row with this key for the same customer'
            when not customer_events.is_about_one then 'more than one customer uses that address'
            {%- if joins_probable() %}
            -- An opt-in does not pass between records that only probably belong to one person. An opt-out does.
            when
                probable.customer_id is not null
                and coalesce(customer_events.mailbox <> customers.mailbox, true)
                and not (customer_events.channel = 'sms' and coalesce(customer_events.phone = customers.phone, false))
                then 'it was given on a record that only probably belongs to the same person'
            {%- endif %}
            when customer_events.channel <> 'email' and not customer_events.has_mailbox_today
                then 'it was given for an address that the customer no longer has'
            when customer_events.channel = 'sms' and customer_events.phone <> customers.phone
                then 'it was given for a number other than the current one'
            when customer_events.lawful_basis is null then 'it names no lawful basis'
            when ', ' || coalesce(purposes.accepted_bases, '') || ',' not like '%, ' || customer_events.lawful_basis || ',%'
                then 'its basis (' || replace(customer_events.lawful_basis, '_', ' ') || ') is not accepted for ' || purposes.label
            when customer_events.lawful_basis = 'soft_opt_in' and not customers.has_soft_opt_in
                then 'there is no soft opt-in in ' || coalesce(customers.country_code, 'an unknown country')
            when customer_events.lawful_basis = 'soft_opt_in' and sale_mailboxes.customer_id is null
                then 'a soft opt-in needs a sale in which the address was collected'
            when customer_events.lawful_basis = 'implied' and customers.implied_days is null
                then 'consent is not implied in ' || coalesce(customers.country_code, 'an unknown country')
            when
                customer_events.lawful_basis = 'implied'
                and {{ date_add('day', 'customers.implied_days', 'customer_events.effective_at') }} <= {{ as_of() }}
                then 'implied consent has lapsed'
            when
                closings.first_closed_at <= customer_events.effective_at
                and not (customer_events.is_by_the_person and customer_events.lawful_basis = 'express')
                then 'only the person can undo an unsubscribe, a complaint or an objection'
            -- Checked last: such an opt-in, if otherwise valid, ends the opt-out for its own subject (see consents).
            when customer_events.channel = 'email' and customer_events.mailbox is null then '{{ names_no_address() }}'
            when customer_events.channel = 'email' and coalesce(customer_events.mailbox <> customers.mailbox, true)
                then '{{ for_another_address() }}'
        end as void_because
    from customer_events
    inner join purposes on customer_events.channel = purposes.channel and customer_events.purpose = purposes.purpose
    inner join customers on customer_events.customer_id = customers.customer_id
    {%- if joins_probable() %}
    left join {{ probable_customers() }} as probable on customer_events.customer_id = probable.customer_id
    {%- endif %}
    left join closings
        on
            customer_events.customer_id = closings.customer_id
            and customer_events.channel = closings.channel
            and customer_events.purpose = closings.purpose
    left join sale_mailboxes
        on
            customer_events.lawful_basis = 'soft_opt_in'
            and customer_events.customer_id = sale_mailboxes.customer_id
            and customer_events.mailbox = sale_mailboxes.mailbox
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
from validated_events
