-- Customers without an order who are similar to the best buyers.
select
    customer_id,
    reason
from {{ ref('lookalike_scores') }}
where band in ('top', 'high')
