{# The last pause of each unit in a ledger, unless a person lifted it, or a wider one, on that day or later. #}
{% macro standing_pauses(ledger) -%}
    select
        pauses.source,
        pauses.mailbox_provider,
        pauses.engagement_tier,
        pauses.paused_at,
        pauses.reason
    from (
        select
            source,
            mailbox_provider,
            engagement_tier,
            max(paused_at) as paused_at,
            {{ value_at_max('reason', 'paused_at', is_unique=true) }} as reason
        from {{ ledger }}
        where paused_at <= {{ as_of() }}
        group by source, mailbox_provider, engagement_tier
    ) as pauses
    left join {{ ref('last_lifts') }} as lifts
        on
            lifts.source in (pauses.source, 'all')
            and pauses.mailbox_provider = lifts.mailbox_provider
            and lifts.engagement_tier in (pauses.engagement_tier, 'all')
    group by pauses.source, pauses.mailbox_provider, pauses.engagement_tier, pauses.paused_at, pauses.reason
    having coalesce(max(lifts.lifted_on) < cast(pauses.paused_at as date), true)
{%- endmacro %}


{# Joins the pauses of a flow at a provider: for the tier, for all tiers, and of all flows. pause_reason(): the widest. #}
{% macro pause_joins(flow, mailbox_provider, engagement_tier) -%}
    {%- for unit, source, tier in [('tier', "'flow:' || " ~ flow, engagement_tier), ('flow', "'flow:' || " ~ flow, "'all'"), ('provider', "'all'", "'all'")] %}
    left join {{ ref('paused_sending') }} as {{ unit }}_pauses
        on
            {{ unit }}_pauses.source = {{ source }}
            and {{ mailbox_provider }} = {{ unit }}_pauses.mailbox_provider
            and {{ unit }}_pauses.engagement_tier = {{ tier }}
    {%- endfor %}
{%- endmacro %}

{% macro pause_reason() -%}
    coalesce(provider_pauses.reason, flow_pauses.reason, tier_pauses.reason)
{%- endmacro %}
