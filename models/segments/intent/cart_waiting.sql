select
    customer_id,
    'Put something into the cart ' || {{ counted(days_since('cart_filled_at'), 'day') }} || ' ago ('
    || {{ day_text('cart_filled_at') }} || ') and has bought nothing since.' as reason
from {{ ref('customers') }}
where has_open_cart_7d
