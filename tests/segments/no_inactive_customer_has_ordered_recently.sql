-- No customer at risk, lapsed or dormant has ordered within the days of stage active.
with members as (
    {{ members_today(['at_risk', 'lapsed', 'dormant']) }}
)

select distinct members.customer_id
from members
inner join {{ ref('customers') }} as customers on members.customer_id = customers.customer_id
inner join {{ ref('orders') }} as orders on members.customer_id = orders.customer_id
where
    orders.is_sale and not orders.is_renewal
    and {{ day_of('orders.ordered_at') }}
    >= cast({{ date_add('day', '-(' ~ stage_days('active', 'customers.usual_days_between_orders') ~ ')', as_of_day()) }} as date)
