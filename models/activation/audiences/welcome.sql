-- New customers without an order.
select
    memberships.customer_id,
    memberships.reason
from {{ ref('segment_memberships') }} as memberships
inner join {{ ref('customers') }} as customers on memberships.customer_id = customers.customer_id
where memberships.segment = 'never_purchased' and {{ day_of('customers.first_seen_at') }} >= {{ days_before(as_of_day(), var('welcome_days')) }}
