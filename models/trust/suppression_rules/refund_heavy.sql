select
    customers.customer_id,
    'promotional' as scope,
    max(refunds.refunded_at) as since,
    cast(null as timestamp) as until,
    'Gave back ' || cast(floor(100 * max(customers.refund_share)) as bigint)
    || ' % of what was bought in ' || max(customers.n_orders) || ' orders.' as reason
from {{ ref('customers') }} as customers
inner join {{ ref('refunds') }} as refunds on customers.customer_id = refunds.customer_id and refunds.is_sale
where
    customers.refund_share >= {{ var('refund_heavy_share') }}
    and customers.n_orders >= {{ var('refund_heavy_orders') }}
group by customers.customer_id
