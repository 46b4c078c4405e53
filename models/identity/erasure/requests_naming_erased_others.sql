-- A request may name somebody who was erased before and is in no source any more, beside one who is: then it contradicts itself
-- too. By what the ledger held before this build.
-- depends_on: {{ ref('privacy_request_matches') }}
-- depends_on: {{ ref('privacy_request_identifiers') }}
-- depends_on: {{ ref('erasure_salt') }}
-- depends_on: {{ ref('privacy_requests') }}
-- depends_on: {{ ref('returning_persons') }}
{% set ledger = load_cached_relation(this.incorporate(path={'identifier': 'erasure_ledger'})) %}
{% if ledger -%}
with carried_out as (
    select request_id from {{ ledger }} where identifier_type = 'carried out'
),

of_one_person as (
    select
        subjects.request_id,
        subjects.customer_id
    from {{ ref('erasure_subjects') }} as subjects
    left join carried_out on subjects.request_id = carried_out.request_id
    where subjects.verdict = 'one person' and carried_out.request_id is null
),

leads as (
    select distinct
        identifier_type,
        identifier
    from {{ ref('privacy_request_matches') }}
),

names_of_none as (
    select
        of_one_person.request_id,
        of_one_person.customer_id,
        case named.identifier_type
            when 'shop_customer_id' then 'record'
            when 'email' then 'mailbox'
            else named.identifier_type
        end as identifier_type,
        case named.identifier_type
            when 'shop_customer_id' then 'shop_customer:' || named.identifier
            when 'email' then named.identifier || '|no name'
            else named.identifier
        end as identifier
    from of_one_person
    inner join {{ ref('privacy_request_identifiers') }} as named on of_one_person.request_id = named.named_by_id
    left join leads
        on named.identifier_type = leads.identifier_type and named.person_identifier = leads.identifier
    where named.named_by = 'erasure request' and leads.identifier is null and named.identifier is not null
),

asking as (
    select
        names_of_none.request_id,
        names_of_none.customer_id,
        {{ identifier_hash('names_of_none.identifier_type', 'names_of_none.identifier') }} as identifier_hash
    from names_of_none
    cross join {{ ref('erasure_salt') }} as salt
),

asked_for as (
    select distinct identifier_hash from asking
),

refused as (
    select request_id
    from {{ ref('privacy_requests') }}
    where request_type = 'erasure' and request_status = 'refused'
),

known as (
    select
        ledger.request_id,
        ledger.identifier_hash
    from {{ ledger }} as ledger
    inner join asked_for on ledger.identifier_hash = asked_for.identifier_hash
    left join refused on ledger.request_id = refused.request_id
    where refused.request_id is null
),

-- Requests of the same name are counted: of hundreds by one address, as an agency sends them, each two would be a row.
knowing as (
    select
        identifier_hash,
        count(*) as n_requests
    from known
    group by identifier_hash
),

-- Of those the requests of this person, who is back, and the request itself name no other.
of_the_same as (
    select
        known.identifier_hash,
        come_back.customer_id,
        count(*) as n_requests
    from known
    inner join {{ ref('returning_persons') }} as come_back on known.request_id = come_back.request_id
    group by known.identifier_hash, come_back.customer_id
),

counted as (
    select
        asking.request_id,
        knowing.n_requests - coalesce(of_the_same.n_requests, 0)
        - case when itself.request_id is not null and itself_back.request_id is null then 1 else 0 end as n_others
    from asking
    inner join knowing on asking.identifier_hash = knowing.identifier_hash
    left join of_the_same
        on asking.identifier_hash = of_the_same.identifier_hash and asking.customer_id = of_the_same.customer_id
    left join known as itself
        on asking.identifier_hash = itself.identifier_hash and asking.request_id = itself.request_id
    left join {{ ref('returning_persons') }} as itself_back
        on asking.request_id = itself_back.request_id and asking.customer_id = itself_back.customer_id
)

select distinct request_id
from counted
where n_others > 0
{%- else -%}
select request_id
from {{ ref('erasure_subjects') }}
where 1 = 0
{%- endif %}
