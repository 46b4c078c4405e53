-- The customers of each address, phone number, device and record without an address, now or in the past.
select
    'mailbox:' || widest_mailbox as subject,
    customer_id,
    max(case when is_current then 1 else 0 end) = 1 as is_current
from {{ ref('contact_point_customers') }}
where contact_type = 'email'
group by widest_mailbox, customer_id
union all
select
    'phone:' || contact as subject,
    customer_id,
    max(case when is_current then 1 else 0 end) = 1 as is_current
from {{ ref('contact_point_customers') }}
where contact_type = 'phone'
group by contact, customer_id
union all
select
    record_key as subject,
    customer_id,
    true as is_current
from {{ ref('record_customers') }}
where record_type in ('shop_customer', 'crm_contact', 'esp_profile')
union all
select
    'web_visitor:' || visitor_id as subject,
    coalesce(customer_id, {{ mint_customer_id("'web_visitor:' || visitor_id") }}) as customer_id,
    true as is_current
from {{ ref('visitor_customers') }}
where customer_id is not null{{ ' or n_customers = 0' if var('keep_anonymous_visitors') }}
