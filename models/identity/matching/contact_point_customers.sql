-- Whom an address or phone number leads to: the customer of each record that has it, or once had it. A record that its
-- system has deleted since leads to the customer it was last part of. A blocked address leads to no one.
with blocked as (
    select distinct widest_mailbox
    from {{ with_mailboxes(ref('blocked_identifiers'), email='identifier') }} as identifiers
    where identifier_type = 'email'
),

points as (
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
    select distinct points.record_key
    from points
    left join {{ ref('identity_records') }} as records on points.record_key = records.record_key
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

-- The customer of a deleted record may go by another id today: that of the records that once were the same customer.
last_customers as (
    select
        log.record_key,
        log.customer_id
    from log
    inner join deleted_records on log.record_key = deleted_records.record_key
    where log.newest_first = 1
),

owners as (
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

addressed as (
    select
        owners.customer_id,
        points.record_key,
        points.contact_type,
        points.contact,
        case when points.contact_type = 'email' then points.contact end as email
    from points
    inner join owners on points.record_key = owners.record_key
)

select
    addressed.customer_id,
    addressed.record_key,
    addressed.contact_type,
    addressed.contact,
    addressed.mailbox,
    addressed.widest_mailbox,
    coalesce(
        case when addressed.contact_type = 'email' then records.email else records.phone end = addressed.contact, false
    ) as is_current
from {{ with_mailboxes('addressed') }} as addressed
left join {{ ref('identity_records') }} as records on addressed.record_key = records.record_key
left join blocked on addressed.widest_mailbox = blocked.widest_mailbox
where blocked.widest_mailbox is null
