-- Online Retail, mapped onto the contract's shop tables: an example for mapping your own export.
--
-- The shop exported one file: a row per invoice line, without line ids, prices for postage, categories or contact
-- details. An invoice that starts with C is a cancellation. One that starts with A is an adjustment for bad debt.
-- raw_file is that file, with the number of each row in file_row_number.

-- Every line of the file, with an id and a kind. No line is left out here or below: each goes to exactly one of
-- order_lines, orders.shipping_amount and refunds (table ledger).
create table lines as
with not_products (stock_code, kind) as (
    values
    ('POST', 'postage'), ('DOT', 'postage'), ('C2', 'postage'),             -- postage, dotcom postage, carriage
    ('BANK CHARGES', 'fee'), ('AMAZONFEE', 'fee'), ('CRUK', 'fee'),         -- charges and commissions
    ('D', 'discount'), ('M', 'manual'), ('S', 'sample'), ('B', 'bad debt')
)

select
    raw_file.file_row_number,
    raw_file.invoice,
    raw_file.invoice || '-' || row_number() over (
        partition by raw_file.invoice order by raw_file.file_row_number
    ) as line_id,
    raw_file.invoice like 'C%' as is_cancellation,
    -- 85123a and 85123A are one product: invoices of the web shop have the letter in lower case.
    upper(trim(raw_file.stock_code)) as stock_code,
    coalesce(not_products.kind, 'product') as kind,
    coalesce(not_products.kind in ('postage', 'fee'), false) as is_charge,
    -- Cancelled postage is a refund of shipping. A cancelled commission is neither goods nor shipping, so it stays an order.
    is_cancellation and coalesce(not_products.kind, 'product') <> 'fee' as is_refund,
    trim(raw_file.description) as description,
    raw_file.quantity,
    cast(raw_file.price as decimal(18, 4)) as unit_price,
    cast(round(raw_file.quantity * cast(raw_file.price as decimal(18, 4)), 2) as decimal(18, 2)) as amount,
    cast(raw_file.customer_id as varchar) as customer_id,
    raw_file.country,
    -- Times are local to the shop: the working day does not move by an hour when summer time begins or ends. They stay as
    -- they are, and var time_zone gives their zone.
    raw_file.invoice_date as invoiced_at
from raw_file
left join not_products on upper(trim(raw_file.stock_code)) = not_products.stock_code;


-- Everyone with an order or a cancellation. Nine customers have invoices in several countries: the latest counts. The file
-- has no opening date of an account. Its first invoice is the closest date.
create table customers as
select
    customer_id,
    arg_max(country, file_row_number) as country,
    min(invoiced_at) as created_at
from lines
where customer_id is not null
group by customer_id;


-- One name per stock code: the most frequent on paid lines, then the latest. Lines without a price have notes of the
-- warehouse ("damaged", "check", "?") instead of a name.
create table products as
with names as (
    select
        stock_code,
        description,
        row_number() over (
            partition by stock_code order by count(*) desc, max(file_row_number) desc
        ) as name_rank
    from lines
    where unit_price > 0 and description is not null
    group by stock_code, description
)

select distinct
    lines.stock_code as product_id,
    names.description as name
from lines
left join names on lines.stock_code = names.stock_code and names.name_rank = 1
where lines.kind = 'product';


-- A cancelled line has customer, product, quantity and price, but no order. It is matched to the last earlier invoice on
-- which the customer bought at least as much of the product at the same price. A line that would return more than was
-- bought, or a purchase from before the file, stays a refund without an order.
create table refunded_lines as
with candidates as (
    select
        cancelled.line_id,
        cancelled.file_row_number,
        -cancelled.quantity as quantity,
        bought.line_id as bought_line_id,
        bought.invoice as bought_invoice,
        bought.quantity as bought_quantity,
        row_number() over (
            partition by cancelled.line_id order by bought.invoiced_at desc, bought.file_row_number desc
        ) as recency_rank
    from lines as cancelled
    inner join lines as bought
        on
            cancelled.customer_id = bought.customer_id
            and cancelled.stock_code = bought.stock_code
            and cancelled.unit_price = bought.unit_price
            and cancelled.invoiced_at >= bought.invoiced_at
            and -cancelled.quantity <= bought.quantity
    where cancelled.is_refund and not bought.is_cancellation
)

select
    line_id,
    bought_line_id,
    bought_invoice,
    bought_quantity,
    sum(quantity) over (partition by bought_line_id order by file_row_number) as returned_so_far
from candidates
where recency_rank = 1
qualify returned_so_far <= bought_quantity;


-- An order that was cancelled in full within a day does not count as one: most are typing errors (74,215 storage jars,
-- cancelled after a quarter of an hour). Later cancellations are returns.
create table taken_back_orders as
with cancelled_amounts as (
    select
        refunded_lines.bought_invoice as invoice,
        sum(-cancelled.amount) as amount
    from refunded_lines
    inner join lines as cancelled on refunded_lines.line_id = cancelled.line_id
    inner join lines as bought on refunded_lines.bought_line_id = bought.line_id
    where not bought.is_charge and cancelled.invoiced_at <= bought.invoiced_at + interval 1 day
    group by refunded_lines.bought_invoice
),

order_amounts as (
    select
        invoice,
        sum(amount) as amount
    from lines
    where not is_charge and not is_cancellation
    group by invoice
)

select order_amounts.invoice
from order_amounts
inner join cancelled_amounts
    on order_amounts.invoice = cancelled_amounts.invoice and order_amounts.amount = cancelled_amounts.amount;


-- An invoice without its refund lines is an order. Staging sets an order without a customer aside and counts it. A cancelled
-- commission makes an order below zero. Statuses other than invoiced are no sales (not_a_sale_statuses in vars.yml).
create table orders as
select
    lines.invoice as order_id,
    any_value(lines.customer_id) as customer_id,
    any_value(lines.country) as country,
    case
        when lines.invoice like 'A%' then 'bad debt'
        when bool_and(lines.is_charge) then 'charges only'
        when max(lines.quantity) < 0 then 'stock adjustment'
        when max(lines.unit_price) = 0 then 'free of charge'
        when count(taken_back_orders.invoice) > 0 then 'taken back'
        else 'invoiced'
    end as status,
    'GBP' as currency,
    sum(lines.amount) as total_amount,
    coalesce(sum(lines.amount) filter (where lines.kind = 'postage'), 0) as shipping_amount,
    min(lines.invoiced_at) as ordered_at
from lines
left join taken_back_orders on lines.invoice = taken_back_orders.invoice
where not lines.is_refund
group by lines.invoice;


-- Equal lines within an invoice are kept: they were bought twice, not exported twice (docs/looked-at.md).
create table order_lines as
select
    line_id as order_line_id,
    invoice as order_id,
    case when kind = 'product' then stock_code end as product_id,
    quantity,
    unit_price
from lines
where not is_refund and kind <> 'postage';


create table refunds as
select
    lines.line_id as refund_id,
    refunded_lines.bought_invoice as order_id,
    refunded_lines.bought_line_id as order_line_id,
    lines.customer_id,
    case when lines.kind = 'product' then lines.stock_code end as product_id,
    case when lines.kind = 'product' then -lines.quantity end as quantity,
    -lines.amount as amount,
    case when lines.kind = 'postage' then -lines.amount end as shipping_amount,
    case when lines.kind = 'product' then 'cancelled' else lines.kind end as reason,
    lines.invoiced_at as refunded_at
from lines
left join refunded_lines on lines.line_id = refunded_lines.line_id
where lines.is_refund;


-- The target of each line of the file, for the reconciliation. Not a table of the contract.
create table ledger as
select
    file_row_number,
    line_id,
    invoice,
    customer_id,
    case
        when is_refund then 'refunds'
        when kind = 'postage' then 'shipping'
        else 'order_lines'
    end as mapped_to,
    amount
from lines;
