-- Customers who bought on as many days, over as long a time, as long ago, are one row to a model of purchases.
select
    cutoff_on,
    is_scoring,
    frequency,
    recency_days,
    age_days,
    count(*) as n_customers
from {{ ref('customer_features') }}
where n_order_days > 0
group by cutoff_on, is_scoring, frequency, recency_days, age_days
