-- CDNOW, mapped onto the contract's shop tables. Each row of the file is an order of a known customer on a day, without id,
-- time of day or lines. raw_file is that file, with the number of each row in file_row_number.
create table orders as
select
    cast(file_row_number as varchar) as order_id,
    customer_id,
    'paid' as status,
    'USD' as currency,
    cast(dollar_value as decimal(18, 2)) as total_amount,
    cast(order_date as timestamp) as ordered_at
from raw_file;


-- The file has no opening date of an account. Its first order is the closest date.
create table customers as
select
    customer_id,
    'US' as country,
    cast(min(order_date) as timestamp) as created_at
from raw_file
group by customer_id;


-- The target of each row of the file, for the reconciliation. Not a table of the contract.
create table ledger as
select
    file_row_number,
    customer_id,
    cast(dollar_value as decimal(18, 2)) as amount
from raw_file;
