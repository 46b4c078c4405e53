-- No member of austrian_buyers has ordered only once.
select customers.customer_id
from {{ ref('austrian_buyers') }} as members
inner join {{ ref('mailroom', 'customers') }} as customers on members.customer_id = customers.customer_id
where customers.n_orders < 2
