select
    customer_id,
    'marketing' as scope,
    first_seen_at as since,
    cast(null as timestamp) as until,
    'A function reads the mailbox, not a person.' as reason
from {{ ref('customers') }}
where is_role_account
