select
    audience,
    customer_id,
    rule,
    rule_reason,
    reason
from {{ ref('audience_decisions') }}
where not is_member
