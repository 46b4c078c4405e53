-- What an erased person was written to at, in any spelling that leads there, is not written to again, whatever person reads
-- it now, until that person does something themselves: see erased_or_objecting.
with addresses as (
    select distinct
        identity_records.email,
        identity_records.widest_mailbox
    from {{ ref('identity_records') }} as identity_records
    inner join {{ ref('record_customers') }} as record_customers
        on identity_records.record_key = record_customers.record_key
    where identity_records.email is not null
),

-- Ledgers of before have the address as it was written only.
spellings as (
    select
        email,
        'widest mailbox' as identifier_type,
        widest_mailbox as identifier
    from addresses
    union all
    select
        email,
        'email' as identifier_type,
        email as identifier
    from addresses
    union all
    select
        email,
        'email' as identifier_type,
        widest_mailbox as identifier
    from addresses
    where widest_mailbox <> email
),

hashed as (
    select
        spellings.email,
        {{ identifier_hash('spellings.identifier_type', 'spellings.identifier') }} as identifier_hash
    from spellings
    cross join {{ ref('erasure_salt') }} as salt
)

select
    hashed.email,
    min(erased_identifiers.recorded_at) as since,
    max(erased_identifiers.received_at) as received_at
from hashed
inner join {{ ref('erased_identifiers') }} as erased_identifiers
    on hashed.identifier_hash = erased_identifiers.identifier_hash
group by hashed.email
