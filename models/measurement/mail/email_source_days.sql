-- Everything that was sent and what became of it, by day and source, of every kind of customer. All counts add up. A message counts once
-- a day for each kind of event. A customer's kind is that of the build that counted the day first.
{{ config(materialized='incremental', incremental_strategy='replace_newest', event_time='kpi_on') }}
{% set days = replaced_days() -%}
with events as (
    select
        customer_id,
        message_id,
        campaign_id,
        message_class,
        event_type,
        bounce_type,
        is_machine,
        is_sending,
        {{ day_of('occurred_at') }} as kpi_on
    from {{ ref('email_events') }}
    where
        occurred_at <= {{ as_of() }}
        {%- if days %}
        and {{ day_of('occurred_at') }} >= cast('{{ days.from }}' as date)
        {%- if days.until %}
        and {{ day_of('occurred_at') }} < cast('{{ days.until }}' as date)
        {%- endif %}
        {%- endif %}
),

messages as (
    select
        kpi_on,
        customer_id,
        message_id,
        max(campaign_id) as campaign_id,
        max(message_class) as message_class,
        max(case when is_sending then 1 else 0 end) as is_sent,
        max(case when event_type = 'delivered' then 1 else 0 end) as is_delivered,
        max(case when event_type = 'opened' and not coalesce(is_machine, false) then 1 else 0 end) as is_opened,
        max(case when event_type = 'clicked' and not coalesce(is_machine, false) then 1 else 0 end) as is_clicked,
        max(case when event_type = 'unsubscribed' and not coalesce(is_machine, false) then 1 else 0 end) as is_unsubscribed,
        max(case when event_type = 'complained' then 1 else 0 end) as is_complained,
        max(case when event_type = 'bounced' then 1 else 0 end) as is_bounced,
        max(case when event_type = 'bounced' and bounce_type = 'hard' then 1 else 0 end) as is_hard_bounced,
        max(case when event_type = 'bounced' and bounce_type = 'blocked' then 1 else 0 end) as is_blocked
    from events
    group by kpi_on, customer_id, message_id
),

customer_kinds as (
    select * from {{ ref('customer_kinds') }}
)

select
    messages.kpi_on,
    coalesce(sources.source, 'unknown') as source,
    coalesce(messages.message_class, 'unknown') as message_class,
    coalesce(customer_kinds.lifecycle_stage, 'unknown') as lifecycle_stage,
    coalesce(customer_kinds.mailbox_provider, 'unknown') as mailbox_provider,
    coalesce(customer_kinds.engagement_tier, 'unknown') as engagement_tier,
    coalesce(customer_kinds.holdout_arm, 'none') as holdout_arm,
    {% for count in ['sent', 'delivered', 'opened', 'clicked', 'unsubscribed', 'complained', 'bounced', 'hard_bounced', 'blocked'] -%}
    cast(sum(messages.is_{{ count }}) as bigint) as n_{{ count }}{{ ',' if not loop.last }}
    {% endfor %}
from messages
left join {{ ref('message_sources') }} as sources on messages.campaign_id = sources.campaign_id
left join customer_kinds on messages.customer_id = customer_kinds.customer_id
group by 1, 2, 3, 4, 5, 6, 7
