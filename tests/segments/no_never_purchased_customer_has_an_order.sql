-- No new subscriber has ever ordered.
with members as (
    {{ members_today(['never_purchased']) }}
)

select distinct members.customer_id
from members
inner join {{ ref('orders') }} as orders on members.customer_id = orders.customer_id
where orders.is_sale and not orders.is_renewal
