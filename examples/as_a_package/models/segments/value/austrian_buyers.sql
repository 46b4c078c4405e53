-- A segment of this project beside Mailroom's own.
select
    customer_id,
    'Lives in Austria and has ordered ' || cast(n_orders as {{ dbt.type_string() }}) || ' times.' as reason
from {{ ref('mailroom', 'customers') }}
where country_code = 'AT' and n_orders > 1
