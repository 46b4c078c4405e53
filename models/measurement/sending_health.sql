-- What each flow and campaign does at each mailbox provider: complaints, unsubscribes, hard bounces and refused messages since the month
-- before began, or since a pause was lifted, beside their limits. By evidence, not by the raw share, which passes a limit by chance. The
-- evidence begins on a fixed day, because it would be false more often over a window that moves. First by engagement tier, then of the
-- tiers that are not paused, then of all mail at the provider that is not: so the narrowest unit is paused.
with parts as (
    select
        days.source,
        days.mailbox_provider,
        days.engagement_tier,
        min(days.kpi_on) as since_on,
        {% for count in sending_counts() -%}
        sum(days.{{ count }}) as {{ count }}{{ ',' if not loop.last }}
        {% endfor %}
    from {{ ref('email_source_days') }} as days
    {% for lift, source, tier in [('tier_lifts', 'days.source', 'days.engagement_tier'), ('lifts', 'days.source', "'all'"), ('provider_lifts', "'all'", "'all'")] -%}
    left join {{ ref('last_lifts') }} as {{ lift }}
        on
            days.mailbox_provider = {{ lift }}.mailbox_provider
            and {{ lift }}.source = {{ source }}
            and {{ lift }}.engagement_tier = {{ tier }}
    {% endfor -%}
    where
        days.kpi_on <= {{ as_of_day() }}
        and days.kpi_on >= cast({{ date_add('month', -1, dbt.date_trunc('month', as_of_day())) }} as date)
        {%- for lift in ['tier_lifts', 'lifts', 'provider_lifts'] %}
        and coalesce(days.kpi_on > {{ lift }}.lifted_on, true)
        {%- endfor %}
        and days.message_class <> 'transactional'
    group by days.source, days.mailbox_provider, days.engagement_tier
),

part_states as (
    {{ signal_states('parts', sending_signals()) }}
),

sources as (
    {{ wider_units('parts', ['part_states'], 'parts.source', "'all'") }}
),

source_states as (
    {{ signal_states('sources', sending_signals()) }}
),

-- A provider refuses the sender, not a flow.
providers as (
    {{ wider_units('parts', ['part_states', 'source_states'], "'all'", "'all'") }}
),

provider_states as (
    {{ signal_states('providers', ['blocked']) }}
),

states as (
    select * from part_states
    union all
    select * from source_states
    union all
    select * from provider_states
)

select
    source,
    mailbox_provider,
    engagement_tier,
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
