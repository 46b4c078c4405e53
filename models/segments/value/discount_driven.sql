select
    customer_id,
    cast(n_discounted_orders as {{ dbt.type_string() }}) || ' of ' || {{ counted('n_orders', 'order') }} || ' were discounted.' as reason
from {{ ref('customer_values') }}
where is_discount_driven
