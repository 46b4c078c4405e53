select
    opportunity_id,
    contact_id,
    stage,
    amount,
    created_at,
    closed_at
from {{ ref('base_crm__opportunities') }}
where reject_reason is null
