-- The net revenue of all customers is sales less refunds, to the cent.
with customers as (
    select sum(net_revenue) as amount from {{ ref('customers') }}
),

orders as (
    select sum(net_amount) as amount from {{ ref('orders') }} where is_sale
),

refunds as (
    select sum(returned_amount) as amount from {{ ref('refunds') }} where is_sale
)

select
    customers.amount as customers_amount,
    orders.amount as orders_amount,
    refunds.amount as refunds_amount
from customers
cross join orders
cross join refunds
where coalesce(customers.amount, 0) <> coalesce(orders.amount, 0) - coalesce(refunds.amount, 0)
