-- How much marketing mail a sender that warms up may send to each mailbox provider on each day to come, until the ceiling has room for all
-- who may get mail there. A step is done on a day with mail and without evidence of harm, so a bad day is repeated. After a silence it
-- begins again, because providers forget a sender. Empty unless var warm_up has a first day.
{%- set warm_up = var('warm_up') %}
{%- set starts_on = warm_up.starts_on or '9999-12-31' %}
{%- set limits = var('sending_limits') %}
with mailable as (
    select
        customers.mailbox_provider,
        count(*) as n_mailable,
        cast(count(*) as {{ double_type() }}) / sum(count(*)) over () as share_of_list
    from {{ ref('contactability') }} as contacts
    inner join {{ ref('customers') }} as customers on contacts.customer_id = customers.customer_id
    where contacts.channel = 'email' and contacts.message_class = 'promotional' and contacts.is_allowed and customers.mailbox_provider is not null
    group by customers.mailbox_provider
),

day_sums as (
    select
        mailbox_provider,
        kpi_on,
        sum(n_sent) as n_sent,
        sum(n_delivered) as n_delivered,
        sum(n_complained) as n_complained,
        sum(n_blocked) as n_blocked
    from {{ ref('email_source_days') }}
    where kpi_on >= cast('{{ starts_on }}' as date) and kpi_on < {{ as_of_day() }} and message_class <> 'transactional'
    group by mailbox_provider, kpi_on
),

days as (
    select
        *,
        lag(kpi_on) over (partition by mailbox_provider order by kpi_on) as day_before
    from day_sums
    where n_sent > 0
),

judged_days as (
    select
        *,
        sum(case when {{ date_diff('day_before', 'kpi_on', 'day') }} > {{ warm_up.silent_days }} then 1 else 0 end)
            over (partition by mailbox_provider order by kpi_on) as period,
        case when n_delivered > 0 then {{ evidence_above('n_complained', 'n_delivered', 'cast(' ~ limits.complained.warn ~ ' as ' ~ double_type() ~ ')') }} else 0 end
        < {{ var('sending_evidence') }}
        and {{ evidence_above('n_blocked', 'n_sent', 'cast(' ~ limits.blocked.warn ~ ' as ' ~ double_type() ~ ')') }} < {{ var('sending_evidence') }} as is_clean
    from days
),

periods as (
    select
        mailbox_provider,
        period,
        max(kpi_on) as last_sent_on,
        count(case when is_clean then 1 end) as n_clean_days,
        {{ value_at_max('is_clean', 'kpi_on', is_unique=true) }} as was_clean,
        row_number() over (partition by mailbox_provider order by period desc) as newest_first
    from judged_days
    group by mailbox_provider, period
),

steps as (
    select
        mailable.*,
        1 + case
            when {{ date_diff('periods.last_sent_on', as_of_day(), 'day') }} <= {{ warm_up.silent_days }} then periods.n_clean_days
            else 0
        end as step,
        coalesce(periods.was_clean, true) as was_clean,
        case
            {%- for provider, share in warm_up.slower.items() %}
            when mailable.mailbox_provider = '{{ provider }}' then cast({{ share }} as {{ double_type() }})
            {%- endfor %}
            else 1
        end as speed
    from mailable
    left join periods on mailable.mailbox_provider = periods.mailbox_provider and periods.newest_first = 1
),

ceilings as (
    select
        steps.mailbox_provider,
        steps.was_clean,
        steps.n_mailable,
        ceilings.step,
        ceilings.step = steps.step as is_first,
        cast(ceil(ceilings.ceiling * steps.share_of_list * steps.speed) as bigint) as ceiling,
        cast({{ date_add('day', 'cast(ceilings.step - steps.step as integer)', 'greatest(' ~ as_of_day() ~ ", cast('" ~ starts_on ~ "' as date))") }} as date) as planned_on
    from steps
    inner join {{ ref('warm_up_ceilings') }} as ceilings on steps.step <= ceilings.step
),

-- Up to the first day with room for all.
lasting_ceilings as (
    select
        *,
        lag(ceiling) over (partition by mailbox_provider order by step) as ceiling_before
    from ceilings
)

select
    mailbox_provider,
    planned_on,
    cast(step as bigint) as step,
    cast(ceiling as bigint) as ceiling,
    cast(n_mailable as bigint) as n_mailable,
    step <= {{ warm_up.unengaged_steps }} as leaves_out_unengaged,
    {{ counted('ceiling', 'message') }} || ' at most, of ' || {{ counted('n_mailable', 'customer') }} || ' who may get mail there.'
    || case when is_first and not was_clean then ' The step is repeated, because the last day had complaints or refusals.' else '' end as sentence
from lasting_ceilings
where coalesce(ceiling_before < n_mailable, ceiling < n_mailable){{ '' if warm_up.starts_on else ' and false' }}
