-- Whose order it is: the shop account's customer, or for a guest the one whose address or number was given.
with orders as (
    select * from {{ ref('stg_shop__orders') }}
),

records as (
    select
        record_key,
        customer_id
    from {{ ref('record_customers') }}
)

select
    orders.order_id,
    coalesce(accounts.customer_id, guests.customer_id) as customer_id,
    orders.order_status is null
    or orders.order_status not in ('{{ var("not_a_sale_statuses") | join("', '") }}') as is_sale,
    orders.ordered_at
from orders
left join records as accounts on accounts.record_key = 'shop_customer:' || orders.shop_customer_id
left join records as guests
    on
        orders.shop_customer_id is null
        and guests.record_key = 'guest_checkout:' || coalesce(orders.email, '') || '/' || coalesce(orders.phone, '')
where coalesce(accounts.customer_id, guests.customer_id) is not null
