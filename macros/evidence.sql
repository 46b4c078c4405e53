{#
Evidence that a share is above a limit, from n messages of which k are such: an e-value, the likelihood of rates from 1 to 20 times the
limit over that of the limit, averaged over rates on a logarithmic scale. If the share is at the limit, it ever reaches 20 with a
probability of at most 1 in 20, however often one looks (Ville's inequality).
#}
{% macro evidence_above(k, n, limit) -%}
    {#- As doubles: Spark divides decimal literals to few digits. -#}
    {%- set terms = [] -%}
    {%- for step in range(1, 21) -%}
        {%- set rate = 'least(' ~ limit ~ ' * cast(' ~ 20 ** (step / 20) ~ ' as ' ~ double_type() ~ '), cast(0.999 as ' ~ double_type() ~ '))' -%}
        {%- do terms.append('exp(least(' ~ k ~ ' * ln(' ~ rate ~ ' / ' ~ limit ~ ') + (' ~ n ~ ' - ' ~ k ~ ') * ln((1 - ' ~ rate ~ ') / (1 - ' ~ limit ~ ')), 600))') -%}
    {%- endfor -%}
    (({{ terms | join(' + ') }}) / 20)
{%- endmacro %}


{# Signals of harm: what is counted of which messages, and its word. #}
{% macro sending_signals() %}
    {{ return({
        'complained': ['n_complained', 'n_delivered', 'complaint'],
        'unsubscribed': ['n_unsubscribed', 'n_delivered', 'unsubscribe'],
        'hard_bounced': ['n_hard_bounced', 'n_sent', 'hard bounce'],
        'blocked': ['n_blocked', 'n_sent', 'refused message'],
    }) }}
{% endmacro %}


{# The columns of email_source_days that the signals are made of. #}
{% macro sending_counts() %}
    {{ return(sending_signals().values() | map('first') | list + ['n_sent', 'n_delivered']) }}
{% endmacro %}


{#
One row per unit and signal, with the evidence against both limits and the state. units: a CTE with source, mailbox_provider,
engagement_tier, since_on and the counts.
#}
{% macro signal_states(units, signals) -%}
    select
        *,
        case
            when pause_evidence >= {{ var('sending_evidence') }} then 'pause'
            when warn_evidence >= {{ var('sending_evidence') }} then 'warn'
            else 'quiet'
        end as state
    from (
        select
            *,
            {{ evidence_above('n_events', 'n_messages', 'warn_share') }} as warn_evidence,
            {{ evidence_above('n_events', 'n_messages', 'pause_share') }} as pause_evidence
        from (
            {% for signal in signals -%}
            {%- set count, of_messages, thing = sending_signals()[signal] -%}
            select
                source,
                mailbox_provider,
                engagement_tier,
                since_on,
                '{{ signal }}' as signal,
                '{{ thing }}' as thing,
                {{ count }} as n_events,
                {{ of_messages }} as n_messages,
                cast({{ var('sending_limits')[signal].warn }} as {{ double_type() }}) as warn_share,
                cast({{ var('sending_limits')[signal].pause }} as {{ double_type() }}) as pause_share
            from {{ units }}
            where {{ of_messages }} > 0
            {{ 'union all' if not loop.last }}
            {% endfor %}
        ) as signals
    ) as evidence
{%- endmacro %}


{# The units of a wider kind, of the messages that no narrower unit pauses. states: CTEs of the narrower ones, the narrowest first. #}
{% macro wider_units(parts, states, source, engagement_tier) -%}
    select
        {{ source }} as source,
        parts.mailbox_provider,
        {{ engagement_tier }} as engagement_tier,
        min(parts.since_on) as since_on,
        {% for count in sending_counts() -%}
        sum(parts.{{ count }}) as {{ count }}{{ ',' if not loop.last }}
        {% endfor %}
    from {{ parts }} as parts
    {% for state in states -%}
    left join (select distinct source, mailbox_provider, engagement_tier from {{ state }} where state = 'pause') as {{ state }}_paused
        on
            parts.source = {{ state }}_paused.source
            and parts.mailbox_provider = {{ state }}_paused.mailbox_provider
            and {{ state }}_paused.engagement_tier in (parts.engagement_tier, 'all')
    {% endfor -%}
    where {% for state in states %}{{ state }}_paused.source is null{{ ' and ' if not loop.last }}{% endfor %}
    group by {{ [source, 'parts.mailbox_provider', engagement_tier] | reject('in', ["'all'"]) | join(', ') }}
{%- endmacro %}
