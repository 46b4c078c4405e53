-- People who have never bought and are of the kind of those who leave the most in the shop.
select
    customer_id,
    reason
from {{ ref('lookalike_scores') }}
where band in ('top', 'high')
