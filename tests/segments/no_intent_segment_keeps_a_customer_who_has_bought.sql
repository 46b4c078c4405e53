-- No intent segment keeps a customer who has since bought the cart, ordered, or bought the product.
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

unbought_views as (
    select distinct views.customer_id
    from {{ ref('customer_products') }} as views
    left join {{ ref('order_lines') }} as lines
        on
            views.customer_id = lines.customer_id
            and views.product_id = lines.product_id
            and lines.is_sale
            and not lines.is_renewal
            and lines.ordered_at >= views.first_viewed_at
    where views.last_viewed_at is not null and lines.order_line_id is null
)

select
    members.segment,
    members.customer_id
from members
inner join {{ ref('customers') }} as customers on members.customer_id = customers.customer_id
left join last_orders on members.customer_id = last_orders.customer_id
left join unbought_views on members.customer_id = unbought_views.customer_id
where
    (members.segment = 'cart_waiting' and last_orders.last_ordered_at >= customers.cart_filled_at)
    or (
        members.segment = 'browsing_now'
        and last_orders.last_ordered_at >= {{ date_add('day', -1, as_of_day()) }}
    )
    or (members.segment in ('price_watchers', 'back_in_stock_watchers') and unbought_views.customer_id is null)
