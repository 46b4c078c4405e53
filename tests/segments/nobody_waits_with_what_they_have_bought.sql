-- Nobody waits with a cart, a session or a product that they have bought since.
with members as (
    {{ members_today(['cart_waiting', 'browsing_now', 'price_watchers', 'back_in_stock_watchers']) }}
),

last_orders as (
    select
        customer_id,
        max(ordered_at) as last_ordered_at
    from {{ ref('orders') }}
    where is_sale and not is_renewal
    group by customer_id
),

still_without as (
    select distinct viewed.customer_id
    from {{ ref('customer_products') }} as viewed
    left join {{ ref('order_lines') }} as lines
        on
            viewed.customer_id = lines.customer_id
            and viewed.product_id = lines.product_id
            and lines.is_sale
            and not lines.is_renewal
            and lines.ordered_at >= viewed.first_viewed_at
    where viewed.last_viewed_at is not null and lines.order_line_id is null
)

select
    members.segment,
    members.customer_id
from members
inner join {{ ref('customers') }} as customers on members.customer_id = customers.customer_id
left join last_orders on members.customer_id = last_orders.customer_id
left join still_without on members.customer_id = still_without.customer_id
where
    (members.segment = 'cart_waiting' and last_orders.last_ordered_at >= customers.cart_filled_at)
    or (
        members.segment = 'browsing_now'
        and last_orders.last_ordered_at >= {{ dbt.dateadd('day', -1, as_of_day()) }}
    )
    or (members.segment in ('price_watchers', 'back_in_stock_watchers') and still_without.customer_id is null)
