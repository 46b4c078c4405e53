-- The customers that identifiers in erasure requests and legal holds lead to. Once per identifier, however many requests name
-- it: an address of hundreds of customers, named by hundreds of requests, would give a row for each two of them.
with named_identifiers as (
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
    inner join named_identifiers
        on
            person_identifiers.identifier_type = named_identifiers.identifier_type
            and person_identifiers.identifier = named_identifiers.person_identifier
    inner join {{ ref('record_clusters') }} as record_clusters
        on person_identifiers.record_key = record_clusters.record_key
)

select
    identifier_type,
    identifier,
    customer_id,
    count(*) over (partition by identifier_type, identifier) as n_customers
from customers
