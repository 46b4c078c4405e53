select
    customer_id,
    sentence as reason
from {{ ref('engagement_tiers') }}
where tier = 'unengaged'
