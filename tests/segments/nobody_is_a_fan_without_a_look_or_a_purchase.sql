-- Nobody is a fan of a category without having looked at a product or bought one.
with members as (
    {{ members_today(['category_fans']) }}
),

interested as (
    select distinct customer_id
    from {{ ref('customer_daily_activity') }}
    where n_product_views + n_cart_adds + n_wishlist_adds + n_orders > 0
)

select members.customer_id
from members
left join interested on members.customer_id = interested.customer_id
where interested.customer_id is null
