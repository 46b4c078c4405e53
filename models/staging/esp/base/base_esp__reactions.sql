{{ config(
    materialized='incremental', event_time='occurred_at', unique_key=['event_id', is_refusal()],
    meta={'built_through': 'stg_esp__profile_days.activity_on', 'never_late': {'event_type': refusals()}}
) }}
{% set days = replaced_days() %}
{% set staged = this.incorporate(path={'identifier': 'stg_esp__message_events'}) if days %}
-- What the events of a message say about one another, judged here once: which opens, clicks and unsubscribes no person
-- made, so that "engaged" means human everywhere above, and by which event a message counts as sent where the ESP says
-- "sent" of none.
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
        and event_type in ('sent', 'delivered', 'opened', 'clicked', 'bounced', 'unsubscribed')
        and {{ is_replaced('occurred_at', days, is_read=true, never_late=is_never_late()) }}
),

-- The sendings and deliveries of their messages, however long before: a mailbox may refuse days after it was sent to.
outgoing as (
    select
        event_id,
        message_id,
        profile_id,
        event_type,
        occurred_at
    from events
    where event_type in ('sent', 'delivered', 'bounced')
    {%- if days %}
    union all
    select
        event_id,
        message_id,
        profile_id,
        event_type,
        occurred_at
    from {{ staged }}
    where
        event_type in ('sent', 'delivered')
        and not {{ is_replaced('occurred_at', days, is_read=true) }}
        and message_id in (select message_id from events where event_type in ('delivered', 'bounced', 'unsubscribed'))
    {%- endif %}
),

said as (
    select
        message_id,
        profile_id
    from outgoing
    where event_type = 'sent'
),

-- Of an ESP that says "sent" of each message nothing is left here. A delivery goes before a bounce, which may come at any
-- age and must not take back what has counted.
never_said as (
    select
        outgoing.event_id,
        outgoing.profile_id,
        outgoing.event_type,
        outgoing.occurred_at,
        row_number() over (
            partition by outgoing.message_id, outgoing.profile_id
            order by outgoing.event_type = 'bounced', outgoing.occurred_at, outgoing.event_id
        ) as place
    from outgoing
    left join said on outgoing.message_id = said.message_id and outgoing.profile_id = said.profile_id
    where
        outgoing.event_type in ('delivered', 'bounced')
        and said.message_id is null
        and not {{ is_pulled('outgoing.event_id', 'outgoing.message_id') }}
),

-- Of a source that gives days without a time, all of a day's events of a type lie at midnight, and how close together they
-- lie says nothing. One event at midnight among others is one of a second like any other: the whole day decides, and a
-- build always reads whole days.
timed_days as (
    select distinct
        event_type,
        {{ day_of('occurred_at') }} as occurred_on
    from events
    where event_type in ('delivered', 'opened', 'clicked') and {{ has_time('occurred_at') }}
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
        events.message_id,
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
),

judged as (
    select
        reactions.event_id,
        reactions.message_id,
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
),

-- A scanner follows every link, that to unsubscribe too. A person clicks on that one only, so no other click counts here.
around_unsubscribes as (
    select
        message_id,
        event_type,
        occurred_at
    from outgoing
    where event_type = 'delivered'
    union all
    select
        message_id,
        event_type,
        occurred_at
    from judged
    where event_type = 'clicked' and machine_reason is not null
    {%- if days %}
    union all
    select
        message_id,
        event_type,
        occurred_at
    from {{ staged }}
    where
        event_type = 'clicked'
        and is_machine
        and not {{ is_replaced('occurred_at', days, is_read=true) }}
        and message_id in (select message_id from events where event_type = 'unsubscribed')
    {%- endif %}
),

unsubscribes as (
    select
        events.event_id,
        events.message_id,
        events.profile_id,
        events.user_agent,
        events.occurred_at,
        around.event_type as around_type,
        case
            when {{ has_time('events.occurred_at') }} then {{ seconds_between('around.occurred_at', 'events.occurred_at') }}
        end as seconds_since
    from events
    left join around_unsubscribes as around on events.message_id = around.message_id
    where events.event_type = 'unsubscribed'
),

judged_unsubscribes as (
    select
        event_id,
        profile_id,
        'unsubscribed' as event_type,
        case
            when max(case when {{ matches_pattern("lower(user_agent)", var('machine_user_agents')) | trim }} then 1 end) = 1
                then 'user agent of a bot'
            when max(case when around_type = 'delivered' and seconds_since between 0 and {{ var('prefetch_seconds') }} then 1 end) = 1
                then 'within seconds of delivery'
            when max(case when around_type = 'clicked' and abs(seconds_since) <= {{ var('scanner_burst_seconds') }} then 1 end) = 1
                then 'within seconds of a click by a machine'
        end as machine_reason,
        occurred_at
    from unsubscribes
    group by event_id, profile_id, occurred_at
),

found as (
    select
        event_id,
        profile_id,
        event_type,
        machine_reason,
        false as is_sending,
        occurred_at
    from judged
    union all
    select
        event_id,
        profile_id,
        event_type,
        machine_reason,
        false as is_sending,
        occurred_at
    from judged_unsubscribes
    where machine_reason is not null
    union all
    select
        event_id,
        profile_id,
        event_type,
        cast(null as {{ dbt.type_string() }}) as machine_reason,
        true as is_sending,
        occurred_at
    from never_said
    where place = 1
)

select * from found
where {{ is_replaced('occurred_at', days, never_late=is_never_late()) }}
