-- Whom promotions leave alone for it: one rule, in models/trust/suppression_rules.
select
    customer_id,
    reason
from {{ ref('refund_heavy') }}
