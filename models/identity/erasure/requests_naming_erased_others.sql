-- A request also contradicts itself if it names one customer and a person who was erased earlier and is in no source any more.
-- Read from the ledger as it was before this build.
-- Longer than 120 lines because requests are counted by hash first: joined, hundreds by one address would multiply.
-- depends_on: {{ ref('privacy_request_matches') }}
-- depends_on: {{ ref('privacy_request_identifiers') }}
-- depends_on: {{ ref('erasure_salt') }}
-- depends_on: {{ ref('privacy_requests') }}
-- depends_on: {{ ref('returning_persons') }}
{% set ledger = load_cached_relation(this.incorporate(path={'identifier': 'erasure_ledger'})) %}
{% if ledger -%}
with completed_requests as (
    select request_id from {{ ledger }} where identifier_type = 'carried out'
),

one_person_requests as (
    select
        subjects.request_id,
        subjects.customer_id
    from {{ ref('erasure_subjects') }} as subjects
    left join completed_requests on subjects.request_id = completed_requests.request_id
    where subjects.verdict = 'one person' and completed_requests.request_id is null
),

matches as (
    select distinct
        identifier_type,
        identifier
    from {{ ref('privacy_request_matches') }}
),

unmatched_identifiers as (
    select
        one_person_requests.request_id,
        one_person_requests.customer_id,
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
    from one_person_requests
    inner join {{ ref('privacy_request_identifiers') }} as named on one_person_requests.request_id = named.named_by_id
    left join matches
        on named.identifier_type = matches.identifier_type and named.person_identifier = matches.identifier
    where named.named_by = 'erasure request' and matches.identifier is null and named.identifier is not null
),

hashed_names as (
    select
        unmatched_identifiers.request_id,
        unmatched_identifiers.customer_id,
        {{ identifier_hash('unmatched_identifiers.identifier_type', 'unmatched_identifiers.identifier') }} as identifier_hash
    from unmatched_identifiers
    cross join {{ ref('erasure_salt') }} as salt
),

requested_hashes as (
    select distinct identifier_hash from hashed_names
),

refused_requests as (
    select request_id
    from {{ ref('privacy_requests') }}
    where request_type = 'erasure' and request_status = 'refused'
),

ledger_entries as (
    select
        ledger.request_id,
        ledger.identifier_hash
    from {{ ledger }} as ledger
    inner join requested_hashes on ledger.identifier_hash = requested_hashes.identifier_hash
    left join refused_requests on ledger.request_id = refused_requests.request_id
    where refused_requests.request_id is null
),

-- Counted, not joined: hundreds of requests by one address, as an agency sends them, would give a row for each two.
requests_by_hash as (
    select
        identifier_hash,
        count(*) as n_requests
    from ledger_entries
    group by identifier_hash
),

-- Earlier requests of the same person, who is back, and the request itself name no other person.
own_requests_by_hash as (
    select
        ledger_entries.identifier_hash,
        returning_persons.customer_id,
        count(*) as n_requests
    from ledger_entries
    inner join {{ ref('returning_persons') }} as returning_persons on ledger_entries.request_id = returning_persons.request_id
    group by ledger_entries.identifier_hash, returning_persons.customer_id
),

requests_with_others as (
    select
        hashed_names.request_id,
        requests_by_hash.n_requests - coalesce(own_requests_by_hash.n_requests, 0)
        - case when own_entry.request_id is not null and own_return.request_id is null then 1 else 0 end as n_others
    from hashed_names
    inner join requests_by_hash on hashed_names.identifier_hash = requests_by_hash.identifier_hash
    left join own_requests_by_hash
        on
            hashed_names.identifier_hash = own_requests_by_hash.identifier_hash
            and hashed_names.customer_id = own_requests_by_hash.customer_id
    left join ledger_entries as own_entry
        on hashed_names.identifier_hash = own_entry.identifier_hash and hashed_names.request_id = own_entry.request_id
    left join {{ ref('returning_persons') }} as own_return
        on hashed_names.request_id = own_return.request_id and hashed_names.customer_id = own_return.customer_id
)

select distinct request_id
from requests_with_others
where n_others > 0
{%- else -%}
select request_id
from {{ ref('erasure_subjects') }}
where 1 = 0
{%- endif %}
