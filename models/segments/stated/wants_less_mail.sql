select
    customer_id,
    sentence as reason
from {{ ref('engagement_tiers') }}
where is_capped_by_preference
