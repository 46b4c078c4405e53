-- Whom each erasure request erases: the one person to whom all leads that it names. A name that leads to no one says nothing
-- against that person; a name that leads to somebody else does.
with customers as (
    select * from {{ ref('privacy_request_matches') }}
),

found as (
    select distinct
        identifier_type,
        identifier,
        n_customers
    from customers
),

named as (
    select
        named_by_id as request_id,
        identifier_type,
        person_identifier,
        max(case when identifier_type <> 'phone' then 1 else 0 end) over (partition by named_by_id) = 1 as names_more_than_a_phone
    from {{ ref('privacy_request_identifiers') }}
    where named_by = 'erasure request'
),

-- A home shares a phone: it says who asks only where nothing else is named. Elsewhere it may only contradict.
weighed as (
    select
        named.request_id,
        named.identifier_type,
        found.identifier,
        found.n_customers,
        found.identifier is not null and (named.identifier_type <> 'phone' or not named.names_more_than_a_phone) as is_lead,
        found.identifier is not null and named.identifier_type = 'phone' and named.names_more_than_a_phone as is_phone
    from named
    left join found
        on named.identifier_type = found.identifier_type and named.person_identifier = found.identifier
),

by_request as (
    select
        request_id,
        count(case when is_lead then 1 end) as n_leads
    from weighed
    group by request_id
),

-- Two questions about a request: to whom its leads lead, and to whom of them the phone that may contradict does.
questions as (
    select 'leads' as question
    union all
    select 'phone' as question
),

question_identifiers as (
    select
        weighed.request_id,
        questions.question,
        weighed.identifier_type,
        weighed.identifier,
        {% for identifier_type in ['email', 'phone', 'shop_customer_id'] -%}
        max(case when weighed.identifier_type = '{{ identifier_type }}' then weighed.identifier end) over (
            partition by weighed.request_id, questions.question
        ) as {{ identifier_type }},
        {% endfor -%}
        weighed.n_customers
    from weighed
    cross join questions
    where weighed.is_lead or (weighed.is_phone and questions.question = 'phone')
),

-- Requests that ask the same are answered together.
numbered as (
    select
        *,
        dense_rank() over (order by email, phone, shop_customer_id) as set_number
    from question_identifiers
),

members as (
    select distinct
        set_number,
        identifier_type,
        identifier,
        n_customers
    from numbered
),

ordered_members as (
    select
        *,
        row_number() over (partition by set_number order by n_customers, identifier_type) as place,
        count(*) over (partition by set_number) as n_members
    from members
),

-- From the identifier that has the fewest customers to the others: hundreds who ask by one address and an account each are
-- hundreds of rows, though hundreds have the address.
fewest as (
    select
        ordered_members.set_number,
        ordered_members.n_members,
        customers.customer_id
    from ordered_members
    inner join customers
        on ordered_members.identifier_type = customers.identifier_type and ordered_members.identifier = customers.identifier
    where ordered_members.place = 1
),

others as (
    select * from ordered_members where place > 1
),

agreeing as (
    select
        fewest.set_number,
        fewest.customer_id
    from fewest
    left join others on fewest.set_number = others.set_number
    left join customers
        on
            others.identifier_type = customers.identifier_type
            and others.identifier = customers.identifier
            and fewest.customer_id = customers.customer_id
    group by fewest.set_number, fewest.customer_id, fewest.n_members
    having count(customers.customer_id) = fewest.n_members - 1
),

answers as (
    select
        set_number,
        count(*) as n_customers,
        min(customer_id) as customer_id
    from agreeing
    group by set_number
),

answered as (
    select
        numbered.request_id,
        max(case when numbered.question = 'leads' then answers.n_customers else 0 end) as n_by_leads,
        max(case when numbered.question = 'phone' then answers.n_customers else 0 end) as n_by_phone,
        max(case when numbered.question = 'leads' then answers.customer_id end) as customer_id
    from numbered
    inner join answers on numbered.set_number = answers.set_number
    group by numbered.request_id
),

verdicts as (
    select
        by_request.request_id,
        answered.customer_id,
        case
            when by_request.n_leads = 0 then 'names nobody'
            when coalesce(answered.n_by_leads, 0) = 0 or answered.n_by_phone = 0 then 'contradicts itself'
            when answered.n_by_leads = 1 then 'one person'
            else 'shared by several'
        end as verdict
    from by_request
    left join answered on by_request.request_id = answered.request_id
),

held as (
    select distinct customer_id from {{ ref('legal_hold_customers') }}
)

select
    verdicts.request_id,
    verdicts.verdict,
    case when verdicts.verdict = 'one person' then verdicts.customer_id end as customer_id,
    verdicts.verdict = 'one person' and held.customer_id is not null as is_held
from verdicts
left join held on verdicts.customer_id = held.customer_id
