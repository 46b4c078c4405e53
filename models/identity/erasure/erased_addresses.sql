-- What an erased person was written to at is not written to again, whatever person reads it now, until that person does
-- something themselves: see erased_or_objecting.
with addresses as (
    select distinct identity_records.email
    from {{ ref('identity_records') }} as identity_records
    inner join {{ ref('record_customers') }} as record_customers
        on identity_records.record_key = record_customers.record_key
    where identity_records.email is not null
),

hashed as (
    select
        addresses.email,
        {{ identifier_hash("'email'", 'addresses.email') }} as identifier_hash
    from addresses
    cross join {{ ref('erasure_salt') }} as salt
)

select
    hashed.email,
    erased_identifiers.recorded_at as since,
    erased_identifiers.received_at
from hashed
inner join {{ ref('erased_identifiers') }} as erased_identifiers
    on hashed.identifier_hash = erased_identifiers.identifier_hash
