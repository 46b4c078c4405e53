select
    customer_id,
    'Put something into the cart ' || {{ counted(days_since('last_cart_add_at'), 'day') }} || ' ago ('
    || {{ day_text('last_cart_add_at') }} || ') and has bought nothing since.' as reason
from {{ ref('customers') }}
where has_open_cart_7d
