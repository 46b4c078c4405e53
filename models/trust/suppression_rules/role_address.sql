select
    customer_id,
    'marketing' as scope,
    first_seen_at as since,
    cast(null as timestamp) as until,
    'Shared role mailbox (e.g. info@), not a person.' as reason
from {{ ref('customers') }}
where is_role_account
