-- An erasure stops everything, also for whoever reads the erased person's mailbox now. An objection stops marketing until the person says yes again, which consents knows.
with answers as (
    select distinct
        consent_event_id,
        customer_id
    from {{ ref('consent_answers') }}
),

requests as (
    select
        answers.customer_id,
        coalesce(requests.request_type = 'erasure', false) as is_erasure,
        history.occurred_at as received_at
    from answers
    inner join {{ ref('consent_history') }} as history
        on answers.consent_event_id = history.consent_event_id and history.recorded_by = 'privacy_request'
    left join {{ ref('stg_privacy__requests') }} as requests on history.source_key = requests.request_id
),

erased_addresses as (
    select
        customers.customer_id,
        erased_addresses.since
    from {{ ref('customers') }} as customers
    inner join {{ ref('erased_addresses') }} as erased_addresses on customers.email = erased_addresses.email
),

asked as (
    select
        customer_id,
        is_erasure,
        received_at
    from requests
    union all
    select
        customer_id,
        true as is_erasure,
        since as received_at
    from erased_addresses
),

by_customer as (
    select
        customer_id,
        min(case when is_erasure then received_at end) as erasure_asked_at,
        max(received_at) as received_at
    from asked
    group by customer_id
)

select
    by_customer.customer_id,
    case when by_customer.erasure_asked_at is null then 'marketing' else 'everything' end as scope,
    coalesce(by_customer.erasure_asked_at, by_customer.received_at) as since,
    cast(null as timestamp) as until,
    case
        when by_customer.erasure_asked_at is null then 'Objected on ' || {{ day_text('by_customer.received_at') }} || '.'
        else 'Somebody at the address asked to be erased, ' || {{ day_text('by_customer.erasure_asked_at') }} || '.'
    end as reason
from by_customer
left join {{ ref('consents') }} as consents
    on
        by_customer.customer_id = consents.customer_id
        and consents.channel = 'email'
        and consents.purpose = 'marketing_email'
where by_customer.erasure_asked_at is not null or coalesce(not consents.is_allowed, true)
