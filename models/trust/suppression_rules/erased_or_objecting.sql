-- An erasure stops everything at the erased person's addresses, whatever person reads them now, until that person opens an
-- account, orders or says yes themselves. An objection, or an erasure that names them otherwise, stops marketing until the
-- person says yes again, which consents knows.
with answers as (
    select distinct
        consent_event_id,
        customer_id,
        cast(null as {{ dbt.type_string() }}) as crowd
    from {{ ref('consent_event_effects') }}
    union distinct
    -- What is about a crowd is about all of it: once for all of them.
    select
        answers.consent_event_id,
        cast(null as {{ dbt.type_string() }}) as customer_id,
        subjects.crowd
    from {{ ref('consent_event_subjects') }} as subjects
    inner join {{ ref('consent_event_effects') }} as answers on subjects.consent_event_id = answers.consent_event_id
    where subjects.crowd is not null
),

-- A refused erasure stops nothing more. An objection to direct marketing can't be refused (GDPR art. 21(3)).
requests as (
    select
        {{ row_of('desk_request_id') }} as row_of,
        min(case when request_type = 'erasure' then 1 else 0 end) = 1 as is_erasure,
        min(case when request_type = 'erasure' and request_status = 'refused' then 1 else 0 end) = 1 as is_void
    from {{ ref('privacy_requests') }}
    group by desk_request_id
),

noes as (
    select
        answers.customer_id,
        answers.crowd,
        -- A date that can't be right: since when we knew.
        case
            when history.occurred_at between cast('{{ var("founded_on") }}' as timestamp) and history.recorded_at then history.occurred_at
            else history.recorded_at
        end as received_at,
        {{ row_of('history.source_key') }} as row_of
    from answers
    inner join {{ ref('consent_history') }} as history
        on answers.consent_event_id = history.consent_event_id and history.recorded_by = 'privacy_request'
),

named as (
    select
        noes.customer_id,
        noes.crowd,
        -- Of an erased person's no the history keeps no key.
        coalesce(requests.is_erasure, noes.row_of is null) as is_erasure,
        noes.received_at
    from noes
    left join requests on noes.row_of = requests.row_of
    where not coalesce(requests.is_void, false)
),

named_crowds as (
    select
        crowd,
        is_erasure,
        max(received_at) as received_at
    from named
    where crowd is not null
    group by crowd, is_erasure
),

acts as (
    select
        records.customer_id,
        max(acts.acted_at) as last_acted_at
    from {{ ref('own_acts') }} as acts
    inner join {{ ref('record_customers') }} as records on acts.record_key = records.record_key
    group by records.customer_id
),

at_erased_addresses as (
    select
        customers.customer_id,
        coalesce(acts.last_acted_at > erased_addresses.received_at, false) as has_acted_since,
        coalesce(erased_addresses.received_at, erased_addresses.since) as since
    from {{ ref('customers') }} as customers
    inner join {{ ref('erased_addresses') }} as erased_addresses on customers.email = erased_addresses.email
    left join acts on customers.customer_id = acts.customer_id
),

asked as (
    select
        customer_id,
        is_erasure,
        false as stops_everything,
        received_at
    from named
    where customer_id is not null
    union all
    select
        crowd_customers.customer_id,
        named_crowds.is_erasure,
        false as stops_everything,
        named_crowds.received_at
    from named_crowds
    inner join {{ ref('crowd_customers') }} as crowd_customers on named_crowds.crowd = crowd_customers.crowd
    union all
    select
        customer_id,
        true as is_erasure,
        not has_acted_since as stops_everything,
        since as received_at
    from at_erased_addresses
),

by_customer as (
    select
        customer_id,
        min(case when stops_everything then received_at end) as erased_at,
        max(case when is_erasure then received_at end) as erasure_asked_at,
        max(case when not is_erasure then received_at end) as objected_at
    from asked
    group by customer_id
)

select
    by_customer.customer_id,
    case when by_customer.erased_at is null then 'marketing' else 'everything' end as scope,
    coalesce(by_customer.erased_at, by_customer.objected_at, by_customer.erasure_asked_at) as since,
    cast(null as timestamp) as until,
    case
        when by_customer.erased_at is not null
            then 'Somebody at the address asked to be erased, ' || {{ day_text('by_customer.erased_at') }} || '.'
        when by_customer.objected_at is not null then 'Objected on ' || {{ day_text('by_customer.objected_at') }} || '.'
        else 'A request for erasure names them, ' || {{ day_text('by_customer.erasure_asked_at') }} || ': it stops marketing.'
    end as reason
from by_customer
left join {{ ref('consents') }} as consents
    on
        by_customer.customer_id = consents.customer_id
        and consents.channel = 'email'
        and consents.purpose = 'marketing_email'
where by_customer.erased_at is not null or coalesce(not consents.is_allowed, true)
