-- Time until an opt-out took effect: the warehouse had recorded it, and the last marketing message had been sent.
-- Longer than 120 lines because one clock needs the opt-out, the opt-in that ends it and the messages between them.
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
        -- Undated opt-outs of the first build may be years old.
        occurred_at is not null or recorded_at > first_recorded_at as is_timed,
        coalesce(occurred_at, least(recorded_at, {{ as_of() }})) as given_at,
        -- For opt-outs of the first build it is not known when we learned of them.
        case when recorded_at > first_recorded_at then recorded_at end as learned_at
    from history
    where consent_status in ('withdrawn', 'denied') or recorded_by = 'browser_signal'
),

-- The customers an opt-out concerns, and whether it stops marketing e-mail. For a crowd: the customers it names, and for the
-- rest only the deciding events.
affected_customers as (
    select
        consent_event_id,
        customer_id,
        subject,
        max(case when channel = 'email' and purpose = 'marketing_email' then 1 else 0 end) = 1 as stops_email
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
    ) as opt_out_effects
    group by consent_event_id, customer_id, subject
),

opt_ins as (
    select
        customer_id,
        subject,
        effective_at
    from {{ ref('consent_event_effects') }}
    where is_yes and void_because is null and channel = 'email' and purpose = 'marketing_email'
),

-- A later opt-in for the same address ends the period without marketing.
customer_opt_outs as (
    select
        opt_outs.consent_event_id,
        affected_customers.customer_id,
        opt_outs.recorded_by,
        opt_outs.channel,
        opt_outs.purpose,
        opt_outs.consent_status,
        opt_outs.is_timed,
        opt_outs.given_at,
        opt_outs.learned_at,
        max(case when affected_customers.stops_email then 1 else 0 end) = 1 as stops_email,
        min(opt_ins.effective_at) as reopened_at
    from opt_outs
    inner join affected_customers on opt_outs.consent_event_id = affected_customers.consent_event_id
    left join opt_ins
        on
            affected_customers.customer_id = opt_ins.customer_id
            and affected_customers.subject = opt_ins.subject
            and opt_outs.given_at < opt_ins.effective_at
    group by
        opt_outs.consent_event_id,
        affected_customers.customer_id,
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
        {{ date_add('hour', var('opt_out_hours'), 'given_at') }} as due_at,
        {{ business_days_after('given_at', var('opt_out_business_days')) }} as due_on
    from customer_opt_outs
),

-- A message of an unknown class counts as marketing.
later_messages as (
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
        limits.stops_email
        and messages.is_sending
        and coalesce(messages.message_class, 'unknown') <> 'transactional'
    group by limits.consent_event_id, limits.customer_id
),

timed_opt_outs as (
    select
        limits.*,
        later_messages.last_message_at,
        coalesce(later_messages.n_messages_after, 0) as n_messages_after,
        coalesce(later_messages.n_late_messages, 0) as n_late_messages,
        limits.is_timed or coalesce(later_messages.n_messages_after, 0) > 0 as is_measured,
        greatest(
            limits.given_at,
            coalesce(limits.learned_at, limits.given_at),
            coalesce(later_messages.last_message_at, limits.given_at)
        ) as took_effect_at
    from limits
    left join later_messages
        on limits.consent_event_id = later_messages.consent_event_id and limits.customer_id = later_messages.customer_id
),

measured_opt_outs as (
    select
        *,
        cast({{ seconds_between('given_at', 'took_effect_at') }} as {{ double_type() }}) / 3600 as hours_to_effect,
        took_effect_at <= due_at as is_within_hours,
        {{ day_of('took_effect_at') }} <= due_on as is_within_business_days
    from timed_opt_outs
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
    case when consent_status = 'denied' and recorded_by <> 'browser_signal' then 'Declined' else 'Opted out' end
    || case when is_timed then ' on ' else ' on an unknown date before ' end || {{ day_text('given_at') }}
    || coalesce(' (' || replace(recorded_by, '_', ' ') || ')', '')
    || case
        when n_messages_after = 0 and learned_at is null then ', with no marketing message sent afterwards'
        when took_effect_at = given_at then ', in effect at once'
        else ', in effect after ' || {{ counted('cast(ceil(hours_to_effect) as bigint)', 'hour') }}
    end
    || case
        when n_late_messages > 0
            then ': ' || {{ counted('n_late_messages', 'marketing message') }} || ' went out after the {{ var("opt_out_hours") }}-hour limit'
        when not is_within_hours then ': the warehouse recorded it after the {{ var("opt_out_hours") }}-hour limit'
        else ''
    end
    || case when is_within_business_days then '' else ', and after {{ var("opt_out_business_days") }} business days' end
    || '.' as reason
from measured_opt_outs
