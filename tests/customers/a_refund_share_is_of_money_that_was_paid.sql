-- refund_share is filled for customers who paid something, and only for them.
with payments as (
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
    payments.net_amount
from {{ ref('customers') }} as customers
left join payments on customers.customer_id = payments.customer_id
where (customers.refund_share is not null) <> coalesce(payments.net_amount > 0, false)
