-- Who may still be won back: not those who order anyway, nor those whom mail will hardly bring back.
select
    customer_id,
    reason
from {{ ref('churn_scores') }}
where band in ('watch', 'high')
