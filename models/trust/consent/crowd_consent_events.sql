-- Of what a crowd is about, the answers that can decide, for each of its customers: for each channel and purpose the last no, the
-- date of the same no in another system, and the last yes, which is void for all of them but says why there is none.
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
said as (
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

-- In the order in which consents lets them decide.
placed as (
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
    from said
),

newest as (
    select
        crowd,
        channel,
        purpose,
        is_global,
        consent_status
    from placed
    where newest_first = 1 and not is_yes
),

deciding as (
    select placed.*
    from placed
    left join newest
        on
            placed.crowd = newest.crowd
            and placed.channel = newest.channel
            and placed.purpose = newest.purpose
            and placed.is_global = newest.is_global
            and placed.consent_status = newest.consent_status
    where
        placed.newest_first = 1
        or (not placed.is_yes and placed.is_dated and placed.newest_dated_first = 1 and newest.crowd is not null)
)

select
    deciding.consent_event_id,
    customers.customer_id,
    deciding.subject,
    deciding.channel,
    deciding.purpose,
    deciding.is_yes,
    deciding.is_global,
    deciding.consent_status,
    deciding.lawful_basis,
    deciding.recorded_by,
    min(deciding.void_because) as void_because,
    deciding.is_dated,
    deciding.effective_at,
    cast(null as timestamp) as expires_at
from deciding
inner join customers on deciding.crowd = customers.crowd
left join {{ ref('consent_event_effects') }} as own
    on
        deciding.consent_event_id = own.consent_event_id
        and customers.customer_id = own.customer_id
        and deciding.subject = own.subject
        and deciding.channel = own.channel
        and deciding.purpose = own.purpose
where own.customer_id is null
group by
    deciding.consent_event_id,
    customers.customer_id,
    deciding.subject,
    deciding.channel,
    deciding.purpose,
    deciding.is_yes,
    deciding.is_global,
    deciding.consent_status,
    deciding.lawful_basis,
    deciding.recorded_by,
    deciding.is_dated,
    deciding.effective_at
