-- Rows and money of the file, floor by floor.
select
    '1 the file' as floor,
    'orders' as part,
    count(*) as n_lines,
    count(*) as n_orders,
    count(distinct customer_id) as n_customers,
    sum(cast(dollar_value as decimal(18, 2))) as amount
from raw_file
union all
select
    '2 the contract',
    'orders',
    count(*),
    count(*),
    count(distinct customer_id),
    sum(total_amount)
from contract_orders
union all
select
    '3 staging',
    'orders',
    count(*),
    count(*),
    count(distinct shop_customer_id),
    sum(total_amount)
from main_staging.stg_shop__orders
union all
select
    '4 orders',
    'sales',
    count(*),
    count(*),
    count(distinct customer_id),
    sum(net_amount)
from main.orders
where is_sale
union all
select
    '4 orders',
    'no sale: worth 0.00',
    count(*),
    count(*),
    count(distinct customer_id),
    sum(total_amount)
from main.orders
where not is_sale
union all
select
    '5 customers',
    'every customer',
    null,
    sum(n_orders),
    count(*),
    sum(net_revenue)
from main.customers
order by 1, 2
