-- Whoever has not withdrawn, but whose yes nobody can show.
select
    customer_id,
    'marketing' as scope,
    since,
    cast(null as timestamp) as until,
    reason
from {{ ref('consents') }}
where channel = 'email' and purpose = 'marketing_email' and not is_allowed and status <> 'withdrawn'
