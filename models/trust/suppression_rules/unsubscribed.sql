select
    customer_id,
    'marketing' as scope,
    since,
    cast(null as timestamp) as until,
    reason
from {{ ref('consents') }}
where channel = 'email' and purpose = 'marketing_email' and status = 'withdrawn'
