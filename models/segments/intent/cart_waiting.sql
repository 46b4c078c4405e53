select
    customer_id,
    'Put a product in the cart ' || {{ counted(days_since('cart_filled_at'), 'day') }} || ' ago ('
    || {{ day_text('cart_filled_at') }} || ') and has not ordered since.' as reason
from {{ ref('customers') }}
where has_open_cart_7d
