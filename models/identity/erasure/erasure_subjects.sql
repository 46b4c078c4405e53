-- Whom each erasure request erases: the one person to whom all leads that it names. A name that leads to no one says nothing
-- against that person; a name that leads to somebody else does.
with named as (
    select
        named_by_id as request_id,
        identifier_type,
        customer_id,
        max(case when identifier_type <> 'phone' then 1 else 0 end) over (partition by named_by_id) = 1 as names_more_than_a_phone
    from {{ ref('named_customers') }}
    where named_by = 'erasure request'
),

-- A home shares a phone: it says who asks only where nothing else is named. Elsewhere it may only contradict.
weighed as (
    select
        request_id,
        customer_id,
        case when customer_id is not null and (identifier_type <> 'phone' or not names_more_than_a_phone) then identifier_type end as leads_by,
        case when customer_id is not null and identifier_type = 'phone' and names_more_than_a_phone then identifier_type end as phone
    from named
),

by_request as (
    select
        request_id,
        count(distinct leads_by) as n_leads,
        count(distinct phone) as n_phones
    from weighed
    group by request_id
),

by_customer as (
    select
        request_id,
        customer_id,
        count(distinct leads_by) as n_leads,
        count(distinct phone) as n_phones
    from weighed
    where customer_id is not null
    group by request_id, customer_id
),

-- Those to whom every name leads that leads anywhere.
candidates as (
    select
        by_request.request_id,
        by_request.n_leads,
        count(by_customer.customer_id) as n_customers,
        min(by_customer.customer_id) as customer_id,
        coalesce(max(by_customer.n_phones), 0) = by_request.n_phones as phone_agrees
    from by_request
    left join by_customer on by_request.request_id = by_customer.request_id and by_request.n_leads = by_customer.n_leads
    group by by_request.request_id, by_request.n_leads, by_request.n_phones
),

judged as (
    select
        request_id,
        customer_id,
        case
            when n_leads = 0 then 'names nobody'
            when n_customers = 0 or not phone_agrees then 'contradicts itself'
            when n_customers = 1 then 'one person'
            else 'shared by several'
        end as verdict
    from candidates
),

held as (
    select distinct customer_id from {{ ref('held_customers') }}
)

select
    judged.request_id,
    judged.verdict,
    case when judged.verdict = 'one person' then judged.customer_id end as customer_id,
    judged.verdict = 'one person' and held.customer_id is not null as is_held
from judged
left join held on judged.customer_id = held.customer_id
