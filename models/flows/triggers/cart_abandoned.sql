-- The subject is the cart as it was last filled, so another product starts the flow again.
with checkouts as (
    select
        customer_id,
        max(ended_at) as last_checkout_at
    from {{ ref('web_sessions') }}
    where n_checkouts > 0 and ended_at > {{ trigger_since() }}
    group by customer_id
)

select
    customers.customer_id,
    'cart ' || cast(customers.cart_filled_at as {{ dbt.type_string() }}) as subject_id,
    'the cart of ' || {{ day_text('customers.cart_filled_at') }} as subject_name,
    customers.cart_filled_at as happened_at,
    cast(null as decimal(18, 2)) as amount,
    'Put products in the cart on ' || {{ day_text('customers.cart_filled_at') }} || ' and has not ordered since.' as reason
from {{ ref('customers') }} as customers
left join checkouts on customers.customer_id = checkouts.customer_id
where
    customers.has_open_cart_30d
    and customers.cart_filled_at > {{ trigger_since() }}
    and coalesce(checkouts.last_checkout_at < customers.cart_filled_at, true)
