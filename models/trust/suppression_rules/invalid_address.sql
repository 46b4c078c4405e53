select
    customer_id,
    'everything' as scope,
    first_seen_at as since,
    cast(null as timestamp) as until,
    'No valid e-mail address on record.' as reason
from {{ ref('customers') }}
where email is null
