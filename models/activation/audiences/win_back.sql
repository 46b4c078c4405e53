-- Who may still be won back: not those who order anyway, nor those whom mail will hardly bring back, nor those for whom a
-- subscription orders.
select
    churn_scores.customer_id,
    churn_scores.reason
from {{ ref('churn_scores') }} as churn_scores
inner join {{ ref('customers') }} as customers on churn_scores.customer_id = customers.customer_id
where churn_scores.band in ('watch', 'high') and customers.n_active_subscriptions = 0
