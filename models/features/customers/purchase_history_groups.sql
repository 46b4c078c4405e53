-- Purchase models read only these three numbers, so customers with equal numbers are scored once.
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
