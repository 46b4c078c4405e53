{{ config(materialized='view') }}
-- The pairs of records to compare, by the identifier they share.
with candidates as (
    select
        record_key,
        name_key,
        birth_date,
        identifier_type,
        identifier
    from {{ ref('record_identifiers') }}
    where is_compared and why_not is null
)

select
    one.identifier_type,
    one.identifier,
    one.record_key,
    other.record_key as other_record_key,
    one.name_key,
    other.name_key as other_name_key,
    one.birth_date,
    other.birth_date as other_birth_date
from candidates as one
inner join candidates as other
    on one.identifier_type = other.identifier_type and one.identifier = other.identifier and one.record_key < other.record_key
