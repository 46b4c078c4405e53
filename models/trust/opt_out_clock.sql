-- How long an opt-out took to take effect: until the warehouse knew of it and the last marketing message had gone out.
with history as (
    select
        *,
        min(recorded_at) over () as first_recorded_at
    from {{ ref('consent_history') }}
),

opt_outs as (
    select
        consent_event_id,
        recorded_by,
        channel,
        purpose,
        consent_status,
        -- What the ledger began with and no system dates may have been said years before.
        occurred_at is not null or recorded_at > first_recorded_at as is_timed,
        coalesce(occurred_at, least(recorded_at, {{ as_of() }})) as given_at,
        -- Nobody knows when we learned of what the ledger began with.
        case when recorded_at > first_recorded_at then recorded_at end as learned_at
    from history
    where consent_status in ('withdrawn', 'denied') or recorded_by = 'browser_signal'
),

-- Whom it concerns, and whether it closes what a marketing message needs. Of a crowd: those whom it names, and for all of them
-- what decides.
concerned as (
    select
        consent_event_id,
        customer_id,
        subject,
        max(case when channel = 'email' and purpose = 'marketing_email' then 1 else 0 end) = 1 as closes_email
    from (
        {% for answers in ['consent_event_effects', 'crowd_consent_events'] -%}
        select
            consent_event_id,
            customer_id,
            subject,
            channel,
            purpose
        from {{ ref(answers) }}
        where not is_yes
        {{ 'union all' if not loop.last }}
        {% endfor %}
    ) as noes
    group by consent_event_id, customer_id, subject
),

yeses as (
    select
        customer_id,
        subject,
        effective_at
    from {{ ref('consent_event_effects') }}
    where is_yes and void_because is null and channel = 'email' and purpose = 'marketing_email'
),

-- A yes that the person gave afterwards to the same address ends the time in which nothing may be sent.
by_customer as (
    select
        opt_outs.consent_event_id,
        concerned.customer_id,
        opt_outs.recorded_by,
        opt_outs.channel,
        opt_outs.purpose,
        opt_outs.consent_status,
        opt_outs.is_timed,
        opt_outs.given_at,
        opt_outs.learned_at,
        max(case when concerned.closes_email then 1 else 0 end) = 1 as closes_email,
        min(yeses.effective_at) as reopened_at
    from opt_outs
    inner join concerned on opt_outs.consent_event_id = concerned.consent_event_id
    left join yeses
        on
            concerned.customer_id = yeses.customer_id
            and concerned.subject = yeses.subject
            and opt_outs.given_at < yeses.effective_at
    group by
        opt_outs.consent_event_id,
        concerned.customer_id,
        opt_outs.recorded_by,
        opt_outs.channel,
        opt_outs.purpose,
        opt_outs.consent_status,
        opt_outs.is_timed,
        opt_outs.given_at,
        opt_outs.learned_at
),

limits as (
    select
        *,
        {{ dbt.dateadd('hour', var('opt_out_hours'), 'given_at') }} as due_at,
        {{ business_days_after('given_at', var('opt_out_business_days')) }} as due_on
    from by_customer
),

-- The one pass over the messages. One of a class that nobody knows counts as marketing.
sent as (
    select
        limits.consent_event_id,
        limits.customer_id,
        max(messages.occurred_at) as last_message_at,
        count(*) as n_messages_after,
        count(case when messages.occurred_at > limits.due_at then 1 end) as n_late_messages
    from limits
    inner join {{ ref('email_events') }} as messages
        on
            limits.customer_id = messages.customer_id
            and limits.given_at < messages.occurred_at
            and (limits.reopened_at is null or messages.occurred_at < limits.reopened_at)
    where
        limits.closes_email
        and messages.is_sending
        and coalesce(messages.message_class, 'unknown') <> 'transactional'
    group by limits.consent_event_id, limits.customer_id
),

clocks as (
    select
        limits.*,
        sent.last_message_at,
        coalesce(sent.n_messages_after, 0) as n_messages_after,
        coalesce(sent.n_late_messages, 0) as n_late_messages,
        limits.is_timed or coalesce(sent.n_messages_after, 0) > 0 as is_measured,
        greatest(
            limits.given_at,
            coalesce(limits.learned_at, limits.given_at),
            coalesce(sent.last_message_at, limits.given_at)
        ) as took_effect_at
    from limits
    left join sent
        on limits.consent_event_id = sent.consent_event_id and limits.customer_id = sent.customer_id
),

measured as (
    select
        *,
        cast({{ seconds_between('given_at', 'took_effect_at') }} as {{ dbt.type_float() }}) / 3600 as hours_to_effect,
        took_effect_at <= due_at as is_within_hours,
        {{ day_of('took_effect_at') }} <= due_on as is_within_business_days
    from clocks
)

select
    consent_event_id,
    customer_id,
    recorded_by,
    channel,
    purpose,
    given_at,
    learned_at,
    last_message_at,
    took_effect_at,
    case when is_measured then hours_to_effect end as hours_to_effect,
    due_at,
    due_on,
    case when is_measured then is_within_hours end as is_within_hours,
    case when is_measured then is_within_business_days end as is_within_business_days,
    cast(n_messages_after as bigint) as n_messages_after,
    cast(n_late_messages as bigint) as n_late_messages,
    case when consent_status = 'denied' and recorded_by <> 'browser_signal' then 'Said no' else 'Opted out' end
    || case when is_timed then ' on ' else ' on a day nobody wrote down, before ' end || {{ day_text('given_at') }}
    || coalesce(' (' || replace(recorded_by, '_', ' ') || ')', '')
    || case
        when n_messages_after = 0 and learned_at is null then ', and no marketing message went out after it'
        when took_effect_at = given_at then ', in effect at once'
        else ', in effect after ' || {{ counted('cast(ceil(hours_to_effect) as bigint)', 'hour') }}
    end
    || case
        when n_late_messages > 0
            then ': ' || {{ counted('n_late_messages', 'marketing message') }} || ' went out after the {{ var("opt_out_hours") }} hours allowed'
        when not is_within_hours then ': the warehouse learned of it after the {{ var("opt_out_hours") }} hours allowed'
        else ''
    end
    || case when is_within_business_days then '' else ', and after {{ var("opt_out_business_days") }} business days' end
    || '.' as reason
from measured
