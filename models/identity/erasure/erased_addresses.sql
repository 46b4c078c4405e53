-- An erased person's address, in any spelling, gets no mail until its present reader acts themselves, even if that is another
-- person: see erased_or_objecting.
with addresses as (
    select distinct
        identity_records.email,
        identity_records.widest_mailbox
    from {{ ref('identity_records') }} as identity_records
    inner join {{ ref('record_customers') }} as record_customers
        on identity_records.record_key = record_customers.record_key
    where identity_records.email is not null
),

-- Older ledgers hold the address only as it was written.
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

hashed_spellings as (
    select
        spellings.email,
        {{ identifier_hash('spellings.identifier_type', 'spellings.identifier') }} as identifier_hash
    from spellings
    cross join {{ ref('erasure_salt') }} as salt
)

select
    hashed_spellings.email,
    min(erased_identifiers.recorded_at) as since,
    max(erased_identifiers.received_at) as received_at
from hashed_spellings
inner join {{ ref('erased_identifiers') }} as erased_identifiers
    on hashed_spellings.identifier_hash = erased_identifiers.identifier_hash
group by hashed_spellings.email
