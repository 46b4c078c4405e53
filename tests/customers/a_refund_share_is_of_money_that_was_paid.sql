-- A share of what was refunded is given for those who paid something, and for nobody else.
with paid as (
    select
        customer_id,
        sum(net_amount) as net_amount
    from {{ ref('orders') }}
    where is_sale
    group by customer_id
)

select
    customers.customer_id,
    customers.refund_share,
    paid.net_amount
from {{ ref('customers') }} as customers
left join paid on customers.customer_id = paid.customer_id
where (customers.refund_share is not null) <> coalesce(paid.net_amount > 0, false)
