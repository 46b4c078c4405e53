-- Whom an answer is about. Consent is given for an address, so whatever leads to a record with an address leads to
-- that address; a record without one stands for itself.
with records as (
    select
        identity_records.record_type,
        identity_records.record_id,
        identity_records.email,
        identity_records.phone,
        record_customers.customer_id,
        -- A blocked address is another one for each record that has it: a no stays with the record, and a yes was not given
        -- for the address to write to.
        coalesce(
            'email:' || identity_records.email,
            'email:' || identity_records.mailbox || ' of ' || identity_records.record_key,
            identity_records.record_key
        ) as subject
    from {{ ref('identity_records') }} as identity_records
    inner join {{ ref('record_customers') }} as record_customers
        on identity_records.record_key = record_customers.record_key
),

-- Everybody who answers to an address, also where an answer names only the account of one of them.
owners as (
    select distinct
        subject,
        customer_id
    from records
)

select distinct
    'email' as identifier_type,
    email as identifier,
    customer_id,
    subject
from records
where email is not null
union all
select distinct
    'phone' as identifier_type,
    phone as identifier,
    customer_id,
    'phone:' || phone as subject
from records
where phone is not null
union all
select
    case records.record_type
        when 'shop_customer' then 'shop_customer_id'
        when 'crm_contact' then 'contact_id'
        else 'profile_id'
    end as identifier_type,
    records.record_id as identifier,
    owners.customer_id,
    records.subject
from records
inner join owners on records.subject = owners.subject
where records.record_type in ('shop_customer', 'crm_contact', 'esp_profile')
union all
select
    'visitor_id' as identifier_type,
    visitor_id as identifier,
    coalesce(customer_id, {{ mint_customer_id("'web_visitor:' || visitor_id") }}) as customer_id,
    'web_visitor:' || visitor_id as subject
from {{ ref('visitor_customers') }}
where customer_id is not null{{ ' or n_customers = 0' if var('keep_anonymous_visitors') }}
