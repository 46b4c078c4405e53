-- The events that can decide for a crowd, for each of its customers. Per channel and purpose: the last opt-out, the same
-- opt-out with a date from another system, and the last opt-in, which is void for all of them but gives the reason.
with customers as (
    select * from {{ ref('crowd_customers') }}
),

crowds as (
    select distinct
        crowd,
        first_customer_id
    from customers
),

-- The first customer of a crowd stands for it.
crowd_events as (
    select
        subjects.crowd,
        answers.*
    from {{ ref('consent_event_subjects') }} as subjects
    inner join crowds on subjects.crowd = crowds.crowd
    inner join {{ ref('consent_event_effects') }} as answers
        on
            subjects.consent_event_id = answers.consent_event_id
            and subjects.subject = answers.subject
            and crowds.first_customer_id = answers.customer_id
),

-- The order of precedence in consents.
ranked_events as (
    select
        *,
        row_number() over (
            partition by crowd, is_yes, channel, purpose
            order by effective_at desc, is_global desc, consent_event_id asc, subject asc
        ) as newest_first,
        row_number() over (
            partition by crowd, is_yes, channel, purpose, is_global, consent_status
            order by is_dated desc, effective_at desc, consent_event_id asc, subject asc
        ) as newest_dated_first
    from crowd_events
),

newest_opt_outs as (
    select
        crowd,
        channel,
        purpose,
        is_global,
        consent_status
    from ranked_events
    where newest_first = 1 and not is_yes
),

deciding_events as (
    select ranked_events.*
    from ranked_events
    left join newest_opt_outs
        on
            ranked_events.crowd = newest_opt_outs.crowd
            and ranked_events.channel = newest_opt_outs.channel
            and ranked_events.purpose = newest_opt_outs.purpose
            and ranked_events.is_global = newest_opt_outs.is_global
            and ranked_events.consent_status = newest_opt_outs.consent_status
    where
        ranked_events.newest_first = 1
        or (
            not ranked_events.is_yes
            and ranked_events.is_dated
            and ranked_events.newest_dated_first = 1
            and newest_opt_outs.crowd is not null
        )
)

select
    deciding_events.consent_event_id,
    customers.customer_id,
    deciding_events.subject,
    deciding_events.channel,
    deciding_events.purpose,
    deciding_events.is_yes,
    deciding_events.is_global,
    deciding_events.consent_status,
    deciding_events.lawful_basis,
    deciding_events.recorded_by,
    min(deciding_events.void_because) as void_because,
    deciding_events.is_dated,
    deciding_events.effective_at,
    cast(null as timestamp) as expires_at
from deciding_events
inner join customers on deciding_events.crowd = customers.crowd
left join {{ ref('consent_event_effects') }} as own_effects
    on
        deciding_events.consent_event_id = own_effects.consent_event_id
        and customers.customer_id = own_effects.customer_id
        and deciding_events.subject = own_effects.subject
        and deciding_events.channel = own_effects.channel
        and deciding_events.purpose = own_effects.purpose
where own_effects.customer_id is null
group by
    deciding_events.consent_event_id,
    customers.customer_id,
    deciding_events.subject,
    deciding_events.channel,
    deciding_events.purpose,
    deciding_events.is_yes,
    deciding_events.is_global,
    deciding_events.consent_status,
    deciding_events.lawful_basis,
    deciding_events.recorded_by,
    deciding_events.is_dated,
    deciding_events.effective_at
