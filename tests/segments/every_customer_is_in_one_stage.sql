-- Every customer is in one lifecycle stage and no other.
with members as (
    {{ members_today(['never_purchased', 'first_time_buyer', 'second_order_window', 'active', 'at_risk', 'lapsed', 'dormant']) }}
)

select
    customers.customer_id,
    count(members.customer_id) as n_stages
from {{ ref('customers') }} as customers
left join members on customers.customer_id = members.customer_id
where {{ as_of() }} >= (select max(changes.changed_at) from {{ ref('segment_changes') }} as changes)
group by customers.customer_id
having count(members.customer_id) <> 1
