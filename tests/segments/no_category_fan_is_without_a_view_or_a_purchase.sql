-- No category fan is without a product interaction or a purchase.
with members as (
    {{ members_today(['category_fans']) }}
),

interested_customers as (
    select distinct customer_id
    from {{ ref('customer_daily_activity') }}
    where n_product_views + n_cart_adds + n_wishlist_adds + n_orders > 0
)

select members.customer_id
from members
left join interested_customers on members.customer_id = interested_customers.customer_id
where interested_customers.customer_id is null
