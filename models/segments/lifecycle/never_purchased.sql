select
    customer_id,
    sentence as reason
from {{ ref('lifecycle_stages') }}
where stage = 'never_purchased'
