{{ config(
    materialized='incremental', event_time='occurred_at', unique_key=['event_id', is_refusal()],
    meta={'built_through': 'stg_esp__profile_days.activity_on', 'never_late': {'event_type': refusals()}}
) }}
{% set days = replaced_days() %}
{% set staged = this.incorporate(path={'identifier': 'stg_esp__message_events'}) if days %}
-- Classifies the events of a message once: which opens, clicks and unsubscribes a machine made, so that engagement is human in
-- all later models, and which event counts as the sending of a message if the ESP has no sent event.
-- Longer than 120 lines because events of one message classify one another, so a build chooses its days once for all of them.
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

-- The sent events and deliveries of these messages, of any age: a mailbox may bounce days after the message was sent.
outgoing_events as (
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

messages_with_sent as (
    select
        message_id,
        profile_id
    from outgoing_events
    where event_type = 'sent'
),

-- Empty for an ESP with a sent event per message. A delivery goes before a bounce, because a bounce may arrive at any age and
-- must not replace an event that has counted.
sending_candidates as (
    select
        outgoing_events.event_id,
        outgoing_events.profile_id,
        outgoing_events.event_type,
        outgoing_events.occurred_at,
        row_number() over (
            partition by outgoing_events.message_id, outgoing_events.profile_id
            order by outgoing_events.event_type = 'bounced', outgoing_events.occurred_at, outgoing_events.event_id
        ) as place
    from outgoing_events
    left join messages_with_sent as sent
        on outgoing_events.message_id = sent.message_id and outgoing_events.profile_id = sent.profile_id
    where
        outgoing_events.event_type in ('delivered', 'bounced')
        and sent.message_id is null
        and not {{ is_pulled('outgoing_events.event_id', 'outgoing_events.message_id') }}
),

-- Days with times. If a source has days without a time, all events of a type are at midnight and their gaps mean nothing. One
-- event at midnight among others has an exact time. The whole day decides, and a build always reads whole days.
timed_days as (
    select distinct
        event_type,
        {{ day_of('occurred_at') }} as occurred_on
    from events
    where event_type in ('delivered', 'opened', 'clicked') and {{ has_time('occurred_at') }}
),

timed_events as (
    select events.*
    from events
    inner join timed_days
        on events.event_type = timed_days.event_type and {{ day_of('events.occurred_at') }} = timed_days.occurred_on
),

deliveries as (
    select
        message_id,
        min(occurred_at) as delivered_at
    from timed_events
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
    from timed_events
    where event_type = 'clicked'
),

classified_reactions as (
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

-- A scanner follows every link, including the one to unsubscribe. A person clicks only that one, so their clicks do not count
-- here.
around_unsubscribes as (
    select
        message_id,
        event_type,
        occurred_at
    from outgoing_events
    where event_type = 'delivered'
    union all
    select
        message_id,
        event_type,
        occurred_at
    from classified_reactions
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

classified_unsubscribes as (
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

classified_events as (
    select
        event_id,
        profile_id,
        event_type,
        machine_reason,
        false as is_sending,
        occurred_at
    from classified_reactions
    union all
    select
        event_id,
        profile_id,
        event_type,
        machine_reason,
        false as is_sending,
        occurred_at
    from classified_unsubscribes
    where machine_reason is not null
    union all
    select
        event_id,
        profile_id,
        event_type,
        cast(null as {{ dbt.type_string() }}) as machine_reason,
        true as is_sending,
        occurred_at
    from sending_candidates
    where place = 1
)

select * from classified_events
where {{ is_replaced('occurred_at', days, never_late=is_never_late()) }}
