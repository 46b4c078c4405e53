-- Customers who may be won back. Band low orders anyway, band lost hardly reacts to mail, and a running subscription places
-- the orders.
select
    churn_scores.customer_id,
    churn_scores.reason
from {{ ref('churn_scores') }} as churn_scores
inner join {{ ref('customers') }} as customers on churn_scores.customer_id = customers.customer_id
where churn_scores.band in ('watch', 'high') and customers.n_active_subscriptions = 0
