-- Nobody called at risk, lapsed or dormant has ordered within the active days.
with members as (
    {{ members_today(['at_risk', 'lapsed', 'dormant']) }}
)

select distinct members.customer_id
from members
inner join {{ ref('orders') }} as orders on members.customer_id = orders.customer_id
where orders.is_sale and orders.ordered_at >= {{ dbt.dateadd('day', -var('active_days'), as_of_day()) }}
