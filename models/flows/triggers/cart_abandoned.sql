-- The subject is the cart as it was last filled, so another product starts the flow again.
select
    customer_id,
    'cart ' || cast(cart_filled_at as {{ dbt.type_string() }}) as subject_id,
    'the cart of ' || {{ day_text('cart_filled_at') }} as subject_name,
    cart_filled_at as happened_at,
    'Put products in the cart on ' || {{ day_text('cart_filled_at') }} || ' and has not ordered since.' as reason
from {{ ref('customers') }}
where has_open_cart_30d and cart_filled_at > {{ trigger_since() }}
