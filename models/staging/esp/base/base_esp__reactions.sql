{{ config(materialized='incremental', event_time='occurred_at', meta={'built_through': 'stg_esp__profile_days.activity_on'}) }}
{% set days = replaced_days() %}
-- Opens and clicks, and which of them no person made. Judged here once, so that "engaged" means human everywhere above.
with events as (
    select
        event_id,
        message_id,
        profile_id,
        event_type,
        user_agent,
        is_machine_open,
        occurred_at
    from {{ ref('base_esp__message_events') }}
    where
        reject_reason is null
        and event_type in ('delivered', 'opened', 'clicked')
        and {{ is_replaced('occurred_at', days, is_read=true) }}
),

-- Of a source that gives days without a time, all of a day's events of a type lie at midnight, and how close together they
-- lie says nothing. One event at midnight among others is one of a second like any other: the whole day decides, and a
-- build always reads whole days.
timed_days as (
    select distinct
        event_type,
        {{ day_of('occurred_at') }} as occurred_on
    from events
    where {{ has_time('occurred_at') }}
),

timed as (
    select events.*
    from events
    inner join timed_days
        on events.event_type = timed_days.event_type and {{ day_of('events.occurred_at') }} = timed_days.occurred_on
),

deliveries as (
    select
        message_id,
        min(occurred_at) as delivered_at
    from timed
    where event_type = 'delivered'
    group by message_id
),

reactions as (
    select
        events.event_id,
        events.profile_id,
        events.event_type,
        events.user_agent,
        events.is_machine_open,
        events.occurred_at,
        case
            when timed_days.occurred_on is not null then {{ seconds_between('deliveries.delivered_at', 'events.occurred_at') }}
        end as seconds_since_delivery
    from events
    left join deliveries on events.message_id = deliveries.message_id
    left join timed_days
        on events.event_type = timed_days.event_type and {{ day_of('events.occurred_at') }} = timed_days.occurred_on
    where events.event_type in ('opened', 'clicked')
),

clicks as (
    select
        event_id,
        count(*) over (
            partition by message_id
            order by {{ seconds_between("cast('2000-01-01' as timestamp)", 'occurred_at') }}
            range between {{ var('scanner_burst_seconds') }} preceding and {{ var('scanner_burst_seconds') }} following
        ) as n_clicks_around
    from timed
    where event_type = 'clicked'
)

select
    reactions.event_id,
    reactions.profile_id,
    reactions.event_type,
    case
        when reactions.is_machine_open then 'flagged by the ESP (Apple Mail Privacy Protection)'
        when reactions.user_agent = 'Mozilla/5.0' then 'bare user agent (Apple Mail Privacy Protection)'
        when {{ matches_pattern("lower(reactions.user_agent)", var('machine_user_agents')) | trim }} then 'user agent of a bot'
        when clicks.n_clicks_around >= {{ var('scanner_burst_clicks') }} then 'scanner burst of clicks'
        when reactions.seconds_since_delivery between 0 and {{ var('prefetch_seconds') }} then 'within seconds of delivery'
    end as machine_reason,
    reactions.occurred_at
from reactions
left join clicks on reactions.event_id = clicks.event_id
where {{ is_replaced('reactions.occurred_at', days) }}
