-- Entering needs a higher share of discounted orders than staying: with few orders, one order moves the share far.
select
    customer_id,
    is_discount_driven as may_enter,
    cast(n_discounted_orders as {{ dbt.type_string() }}) || ' of ' || {{ counted('n_orders', 'order') }} || ' were discounted.' as reason
from {{ ref('rfm_scores') }}
where
    n_discounted_orders > 0
    and n_orders >= {{ var('buying_habit_min_orders') }}
    and cast(n_discounted_orders as {{ double_type() }}) / n_orders
    >= {{ var('discount_driven_min_share') - var('discount_driven_band_share') }}
