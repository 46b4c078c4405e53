-- The customers that an address or phone number leads to: those whose records have it or once had it. A record deleted in its
-- system leads to its last customer. A blocked address leads to no customer.
with blocked_mailboxes as (
    select distinct widest_mailbox
    from {{ with_mailboxes(ref('blocked_identifiers'), email='identifier') }} as identifiers
    where identifier_type = 'email'
),

recorded_contacts as (
    select
        record_key,
        contact_type,
        contact
    from {{ ref('contact_points') }}
    union distinct
    -- A build as of the past adds nothing to the ledger.
    select
        record_key,
        'email' as contact_type,
        email as contact
    from {{ ref('identity_records') }}
    where email is not null
    union distinct
    select
        record_key,
        'phone' as contact_type,
        phone as contact
    from {{ ref('identity_records') }}
    where phone is not null
),

deleted_records as (
    select distinct recorded_contacts.record_key
    from recorded_contacts
    left join {{ ref('identity_records') }} as records on recorded_contacts.record_key = records.record_key
    where records.record_key is null
),

log as (
    select
        record_key,
        customer_id,
        row_number() over (partition by record_key order by log_number desc) as newest_first
    from {{ ref('customer_key_log') }}
    where customer_id is not null
),

-- The customer of a deleted record may have another id today: that of the records that once shared its id.
last_customers as (
    select
        log.record_key,
        log.customer_id
    from log
    inner join deleted_records on log.record_key = deleted_records.record_key
    where log.newest_first = 1
),

record_owners as (
    select
        record_key,
        customer_id
    from {{ ref('record_customers') }}
    union distinct
    select
        last_customers.record_key,
        record_customers.customer_id
    from last_customers
    inner join log on last_customers.customer_id = log.customer_id
    inner join {{ ref('record_customers') }} as record_customers on log.record_key = record_customers.record_key
),

customer_contacts as (
    select
        record_owners.customer_id,
        recorded_contacts.record_key,
        recorded_contacts.contact_type,
        recorded_contacts.contact,
        case when recorded_contacts.contact_type = 'email' then recorded_contacts.contact end as email
    from recorded_contacts
    inner join record_owners on recorded_contacts.record_key = record_owners.record_key
)

select
    customer_contacts.customer_id,
    customer_contacts.record_key,
    customer_contacts.contact_type,
    customer_contacts.contact,
    customer_contacts.mailbox,
    customer_contacts.widest_mailbox,
    coalesce(
        case when customer_contacts.contact_type = 'email' then records.email else records.phone end = customer_contacts.contact,
        false
    ) as is_current
from {{ with_mailboxes('customer_contacts') }} as customer_contacts
left join {{ ref('identity_records') }} as records on customer_contacts.record_key = records.record_key
left join blocked_mailboxes on customer_contacts.widest_mailbox = blocked_mailboxes.widest_mailbox
where blocked_mailboxes.widest_mailbox is null
