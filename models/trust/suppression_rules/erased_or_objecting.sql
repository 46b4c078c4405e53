-- An erasure stops every message to the erased person's addresses, whichever customer reads them now. It ends when that
-- customer opens an account, orders or opts in. An objection, or an erasure that names a customer otherwise, stops marketing
-- until the customer opts in again, which consents decides.
-- Longer than 120 lines because an erasure finds a customer by event, by crowd or by address.
with event_targets as (
    select distinct
        consent_event_id,
        customer_id,
        cast(null as {{ dbt.type_string() }}) as crowd
    from {{ ref('consent_event_effects') }}
    union distinct
    -- An event about a crowd is about every customer in it: one row for all of them.
    select
        effects.consent_event_id,
        cast(null as {{ dbt.type_string() }}) as customer_id,
        subjects.crowd
    from {{ ref('consent_event_subjects') }} as subjects
    inner join {{ ref('consent_event_effects') }} as effects on subjects.consent_event_id = effects.consent_event_id
    where subjects.crowd is not null
),

-- A refused erasure stops nothing any more. An objection to direct marketing cannot be refused (GDPR art. 21(3)).
requests as (
    select
        {{ row_of('desk_request_id') }} as row_of,
        min(case when request_type = 'erasure' then 1 else 0 end) = 1 as is_erasure,
        min(case when request_type = 'erasure' and request_status = 'refused' then 1 else 0 end) = 1 as is_void
    from {{ ref('privacy_requests') }}
    group by desk_request_id
),

request_events as (
    select
        event_targets.customer_id,
        event_targets.crowd,
        -- An impossible date is replaced by the day we learned of it.
        case
            when history.occurred_at between cast('{{ var("founded_on") }}' as timestamp) and history.recorded_at then history.occurred_at
            else history.recorded_at
        end as received_at,
        {{ row_of('history.source_key') }} as row_of
    from event_targets
    inner join {{ ref('consent_history') }} as history
        on event_targets.consent_event_id = history.consent_event_id and history.recorded_by = 'privacy_request'
),

valid_requests as (
    select
        request_events.customer_id,
        request_events.crowd,
        -- The history keeps no key for opt-outs of an erased person.
        coalesce(requests.is_erasure, request_events.row_of is null) as is_erasure,
        request_events.received_at
    from request_events
    left join requests on request_events.row_of = requests.row_of
    where not coalesce(requests.is_void, false)
),

crowd_requests as (
    select
        crowd,
        is_erasure,
        max(received_at) as received_at
    from valid_requests
    where crowd is not null
    group by crowd, is_erasure
),

customer_acts as (
    select
        records.customer_id,
        max(own_acts.acted_at) as last_acted_at
    from {{ ref('own_acts') }} as own_acts
    inner join {{ ref('record_customers') }} as records on own_acts.record_key = records.record_key
    group by records.customer_id
),

at_erased_addresses as (
    select
        customers.customer_id,
        coalesce(customer_acts.last_acted_at > erased_addresses.received_at, false) as has_acted_since,
        coalesce(erased_addresses.received_at, erased_addresses.since) as since
    from {{ ref('customers') }} as customers
    inner join {{ ref('erased_addresses') }} as erased_addresses on customers.email = erased_addresses.email
    left join customer_acts on customers.customer_id = customer_acts.customer_id
),

customer_requests as (
    select
        customer_id,
        is_erasure,
        false as stops_everything,
        received_at
    from valid_requests
    where customer_id is not null
    union all
    select
        crowd_customers.customer_id,
        crowd_requests.is_erasure,
        false as stops_everything,
        crowd_requests.received_at
    from crowd_requests
    inner join {{ ref('crowd_customers') }} as crowd_customers on crowd_requests.crowd = crowd_customers.crowd
    union all
    select
        customer_id,
        true as is_erasure,
        not has_acted_since as stops_everything,
        since as received_at
    from at_erased_addresses
),

customer_stops as (
    select
        customer_id,
        min(case when stops_everything then received_at end) as erased_at,
        max(case when is_erasure then received_at end) as erasure_requested_at,
        max(case when not is_erasure then received_at end) as objected_at
    from customer_requests
    group by customer_id
)

select
    customer_stops.customer_id,
    case when customer_stops.erased_at is null then 'marketing' else 'everything' end as scope,
    coalesce(customer_stops.erased_at, customer_stops.objected_at, customer_stops.erasure_requested_at) as since,
    cast(null as timestamp) as until,
    case
        when customer_stops.erased_at is not null
            then 'A person at this address requested erasure on ' || {{ day_text('customer_stops.erased_at') }} || '.'
        when customer_stops.objected_at is not null then 'Objected on ' || {{ day_text('customer_stops.objected_at') }} || '.'
        else 'An erasure request of ' || {{ day_text('customer_stops.erasure_requested_at') }} || ' names this customer and stops marketing.'
    end as reason
from customer_stops
left join {{ ref('consents') }} as consents
    on
        customer_stops.customer_id = consents.customer_id
        and consents.channel = 'email'
        and consents.purpose = 'marketing_email'
where customer_stops.erased_at is not null or coalesce(not consents.is_allowed, true)
