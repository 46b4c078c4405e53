-- To whom what erasure requests and legal holds name leads. Once for each identifier, however many name it: an address on the
-- records of hundreds, named by hundreds, would be a row for each two of them.
with named as (
    select distinct
        identifier_type,
        person_identifier
    from {{ ref('privacy_request_identifiers') }}
    where person_identifier is not null
),

customers as (
    select distinct
        person_identifiers.identifier_type,
        person_identifiers.identifier,
        record_clusters.customer_id
    from {{ ref('person_identifiers') }} as person_identifiers
    inner join named
        on
            person_identifiers.identifier_type = named.identifier_type
            and person_identifiers.identifier = named.person_identifier
    inner join {{ ref('record_clusters') }} as record_clusters
        on person_identifiers.record_key = record_clusters.record_key
)

select
    identifier_type,
    identifier,
    customer_id,
    count(*) over (partition by identifier_type, identifier) as n_customers
from customers
