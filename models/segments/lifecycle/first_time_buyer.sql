select
    customer_id,
    sentence as reason
from {{ ref('lifecycle_stages') }}
where stage = 'first_time_buyer'
