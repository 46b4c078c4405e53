-- One row per customer, for a BI tool: what they bought, and whether a promotion may be sent to them.
select
    customers.customer_id,
    customers.first_name,
    customers.country_code,
    customers.n_orders,
    customers.net_revenue,
    coalesce(contactability.is_allowed, false) as may_get_promotions
from {{ ref('mailroom', 'customers') }} as customers
left join {{ ref('mailroom', 'contactability') }} as contactability
    on customers.customer_id = contactability.customer_id and contactability.message_class = 'promotional'
