-- Customers without provable consent. Customers who withdrew it are in unsubscribed.
select
    customer_id,
    'marketing' as scope,
    since,
    cast(null as timestamp) as until,
    reason
from {{ ref('consents') }}
where channel = 'email' and purpose = 'marketing_email' and not is_allowed and status <> 'withdrawn'
