select
    customer_id,
    reason
from {{ ref('segment_memberships') }}
where segment = 'replenishment_due'
