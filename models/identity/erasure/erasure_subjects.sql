-- The person whom each erasure request erases: all identifiers that it names must lead to them. An identifier that leads to
-- no customer is ignored. One that leads to another customer is a contradiction.
-- Longer than 120 lines because requests are answered in sets: hundreds of requests by one address would otherwise multiply.
with customers as (
    select * from {{ ref('privacy_request_matches') }}
),

matches as (
    select distinct
        identifier_type,
        identifier,
        n_customers
    from customers
),

named_identifiers as (
    select
        named_by_id as request_id,
        identifier_type,
        person_identifier,
        max(case when identifier_type <> 'phone' then 1 else 0 end) over (partition by named_by_id) = 1 as names_more_than_a_phone
    from {{ ref('privacy_request_identifiers') }}
    where named_by = 'erasure request'
),

-- A household may share a phone. It identifies the person only if nothing else is named, and may otherwise only contradict.
weighed_identifiers as (
    select
        named.request_id,
        named.identifier_type,
        matches.identifier,
        matches.n_customers,
        matches.identifier is not null and (named.identifier_type <> 'phone' or not named.names_more_than_a_phone) as is_lead,
        matches.identifier is not null and named.identifier_type = 'phone' and named.names_more_than_a_phone as is_phone
    from named_identifiers as named
    left join matches
        on named.identifier_type = matches.identifier_type and named.person_identifier = matches.identifier
),

lead_counts as (
    select
        request_id,
        count(case when is_lead then 1 end) as n_leads
    from weighed_identifiers
    group by request_id
),

-- Two questions about a request: which customers match its leads, and which of these also match the phone.
questions as (
    select 'leads' as question
    union all
    select 'phone' as question
),

question_identifiers as (
    select
        weighed_identifiers.request_id,
        questions.question,
        weighed_identifiers.identifier_type,
        weighed_identifiers.identifier,
        {% for identifier_type in ['email', 'phone', 'shop_customer_id'] -%}
        max(case when weighed_identifiers.identifier_type = '{{ identifier_type }}' then weighed_identifiers.identifier end) over (
            partition by weighed_identifiers.request_id, questions.question
        ) as {{ identifier_type }},
        {% endfor -%}
        weighed_identifiers.n_customers
    from weighed_identifiers
    cross join questions
    where weighed_identifiers.is_lead or (weighed_identifiers.is_phone and questions.question = 'phone')
),

-- Requests with the same identifiers are answered together.
numbered_identifiers as (
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
    from numbered_identifiers
),

ordered_members as (
    select
        *,
        row_number() over (partition by set_number order by n_customers, identifier_type) as place,
        count(*) over (partition by set_number) as n_members
    from members
),

-- Starts from the identifier with the fewest customers. Hundreds of requests with one address and an account each stay hundreds
-- of rows, even if hundreds of customers have the address.
candidates as (
    select
        ordered_members.set_number,
        ordered_members.n_members,
        customers.customer_id
    from ordered_members
    inner join customers
        on ordered_members.identifier_type = customers.identifier_type and ordered_members.identifier = customers.identifier
    where ordered_members.place = 1
),

other_members as (
    select * from ordered_members where place > 1
),

matching_customers as (
    select
        candidates.set_number,
        candidates.customer_id
    from candidates
    left join other_members on candidates.set_number = other_members.set_number
    left join customers
        on
            other_members.identifier_type = customers.identifier_type
            and other_members.identifier = customers.identifier
            and candidates.customer_id = customers.customer_id
    group by candidates.set_number, candidates.customer_id, candidates.n_members
    having count(customers.customer_id) = candidates.n_members - 1
),

set_answers as (
    select
        set_number,
        count(*) as n_customers,
        min(customer_id) as customer_id
    from matching_customers
    group by set_number
),

request_answers as (
    select
        numbered_identifiers.request_id,
        max(case when numbered_identifiers.question = 'leads' then set_answers.n_customers else 0 end) as n_by_leads,
        max(case when numbered_identifiers.question = 'phone' then set_answers.n_customers else 0 end) as n_by_phone,
        max(case when numbered_identifiers.question = 'leads' then set_answers.customer_id end) as customer_id
    from numbered_identifiers
    inner join set_answers on numbered_identifiers.set_number = set_answers.set_number
    group by numbered_identifiers.request_id
),

verdicts as (
    select
        lead_counts.request_id,
        request_answers.customer_id,
        case
            when lead_counts.n_leads = 0 then 'names no customer'
            when coalesce(request_answers.n_by_leads, 0) = 0 or request_answers.n_by_phone = 0 then 'contradicts itself'
            when request_answers.n_by_leads = 1 then 'one person'
            else 'shared by several'
        end as verdict
    from lead_counts
    left join request_answers on lead_counts.request_id = request_answers.request_id
),

held_customers as (
    select distinct customer_id from {{ ref('legal_hold_customers') }}
)

select
    verdicts.request_id,
    verdicts.verdict,
    case when verdicts.verdict = 'one person' then verdicts.customer_id end as customer_id,
    verdicts.verdict = 'one person' and held_customers.customer_id is not null as is_held
from verdicts
left join held_customers on verdicts.customer_id = held_customers.customer_id
