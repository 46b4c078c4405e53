-- Each customer, and no other id, has one row per message class, with a decision and a reason.
select
    customers.customer_id,
    count(contactability.message_class) as n_classes
from {{ ref('customers') }} as customers
full outer join {{ ref('contactability') }} as contactability on customers.customer_id = contactability.customer_id
group by customers.customer_id
having
    customers.customer_id is null
    or count(distinct contactability.message_class) <> {{ message_classes() | length }}
    or count(contactability.is_allowed) <> {{ message_classes() | length }}
    or count(contactability.reason) <> {{ message_classes() | length }}
