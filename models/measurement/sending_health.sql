-- What each flow and campaign does at each mailbox provider: complaints, unsubscribes and hard bounces since the month before began, or
-- since a pause was lifted, beside their limits. By evidence, not by the raw share, which passes a limit by chance. The evidence begins
-- on a fixed day, because it would be false more often over a window that moves.
{%- set signals = {
    'complained': ['n_complained', 'n_delivered', 'complaint'],
    'unsubscribed': ['n_unsubscribed', 'n_delivered', 'unsubscribe'],
    'hard_bounced': ['n_hard_bounced', 'n_sent', 'hard bounce'],
} %}
{%- set limits = var('sending_limits') %}
with lifts as (
    select * from {{ ref('last_lifts') }}
),

days as (
    select
        days.source,
        days.mailbox_provider,
        {% for signal in signals -%}
        sum(days.n_{{ signal }}) as n_{{ signal }},
        {% endfor -%}
        sum(days.n_sent) as n_sent,
        sum(days.n_delivered) as n_delivered,
        min(days.kpi_on) as since_on
    from {{ ref('email_source_days') }} as days
    left join lifts on days.source = lifts.source and days.mailbox_provider = lifts.mailbox_provider
    where
        days.kpi_on <= {{ as_of_day() }}
        and days.kpi_on >= cast({{ date_add('month', -1, dbt.date_trunc('month', as_of_day())) }} as date)
        and coalesce(days.kpi_on > lifts.lifted_on, true)
        and days.message_class <> 'transactional'
    group by days.source, days.mailbox_provider
),

signals as (
    {% for signal, parts in signals.items() -%}
    select
        source,
        mailbox_provider,
        '{{ signal }}' as signal,
        '{{ parts[2] }}' as thing,
        {{ parts[0] }} as n_events,
        {{ parts[1] }} as n_messages,
        since_on,
        cast({{ limits[signal].warn }} as {{ double_type() }}) as warn_share,
        cast({{ limits[signal].pause }} as {{ double_type() }}) as pause_share,
        case when {{ parts[1] }} > 0 then {{ evidence_above(parts[0], parts[1], limits[signal].warn) }} end as warn_evidence,
        case when {{ parts[1] }} > 0 then {{ evidence_above(parts[0], parts[1], limits[signal].pause) }} end as pause_evidence
    from days
    {{ 'union all' if not loop.last }}
    {% endfor %}
),

states as (
    select
        *,
        case
            when pause_evidence >= {{ var('sending_evidence') }} then 'pause'
            when warn_evidence >= {{ var('sending_evidence') }} then 'warn'
            else 'quiet'
        end as state
    from signals
    where n_messages > 0
)

select
    source,
    mailbox_provider,
    signal,
    state,
    cast(n_messages as bigint) as n_messages,
    cast(n_events as bigint) as n_events,
    cast(n_events as {{ double_type() }}) / n_messages as share,
    warn_share,
    pause_share,
    warn_evidence,
    pause_evidence,
    since_on,
    cast(n_events as {{ dbt.type_string() }}) || ' ' || thing || case when n_events = 1 then '' else 's' end
    || ' in ' || {{ counted('n_messages', 'message') }} || ' since ' || {{ day_text('since_on') }}
    || case state
        when 'pause' then ': certainly above the limit of ' || {{ tenths_text('pause_share') }} || '.'
        when 'warn' then ': certainly above ' || {{ tenths_text('warn_share') }} || '.'
        else '.'
    end as sentence
from states
