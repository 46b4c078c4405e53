-- Online Retail, mapped onto the contract's shop tables. Read it as an example of mapping your own export.
--
-- The shop exported one file: a row per invoice line, with no line id, no prices for postage, no categories and no
-- contact details. An invoice that starts with C is a cancellation, one with A an adjustment for bad debt.
-- raw_file is that file, with the number of each row in file_row_number.

-- Every line of the file, with an id, and with what it is about. Nothing is left out here or below:
-- each line goes to exactly one of order_lines, orders.shipping_amount and refunds (table ledger).
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
    -- 85123a and 85123A are one product: the web shop's invoices write the letter small.
    upper(trim(raw_file.stock_code)) as stock_code,
    coalesce(not_products.kind, 'product') as kind,
    coalesce(not_products.kind in ('postage', 'fee'), false) as is_charge,
    -- Postage taken back is a refund of shipping. A commission is neither goods nor shipping: it goes where it was charged.
    is_cancellation and coalesce(not_products.kind, 'product') <> 'fee' as is_refund,
    trim(raw_file.description) as description,
    raw_file.quantity,
    cast(raw_file.price as decimal(18, 4)) as unit_price,
    cast(round(raw_file.quantity * cast(raw_file.price as decimal(18, 4)), 2) as decimal(18, 2)) as amount,
    cast(raw_file.customer_id as varchar) as customer_id,
    raw_file.country,
    -- The file's clock is the shop's: the working day does not move by an hour when summer time begins or ends. So the
    -- times stay as they are, and var time_zone says whose they are.
    raw_file.invoice_date as invoiced_at
from raw_file
left join not_products on upper(trim(raw_file.stock_code)) = not_products.stock_code;


-- Who bought or cancelled anything, also those who only ever cancelled. Nine have invoices in several countries:
-- the latest counts. When an account was opened is not known; its first invoice is as near as the file comes.
create table customers as
select
    customer_id,
    arg_max(country, file_row_number) as country,
    min(invoiced_at) as created_at
from lines
where customer_id is not null
group by customer_id;


-- One name per stock code: the one most of its paid lines have, of equals the latest. Lines without a price carry
-- notes of the warehouse ("damaged", "check", "?") in place of a name.
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


-- A cancelled line says who gave back what at which price, not of which order. It is taken to be from the last
-- invoice before it on which the same customer bought at least as much of it at the same price. What would give
-- back more of a line than was bought, and what was bought before the file begins, stays a refund of the customer.
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


-- An order that was taken back as a whole within a day never was one: most are slips of the keyboard (74,215 storage
-- jars, cancelled after a quarter of an hour). What came back later was bought, and returned.
create table taken_back_orders as
with given_back as (
    select
        refunded_lines.bought_invoice as invoice,
        sum(-cancelled.amount) as amount
    from refunded_lines
    inner join lines as cancelled on refunded_lines.line_id = cancelled.line_id
    inner join lines as bought on refunded_lines.bought_line_id = bought.line_id
    where not bought.is_charge and cancelled.invoiced_at <= bought.invoiced_at + interval 1 day
    group by refunded_lines.bought_invoice
),

bought as (
    select
        invoice,
        sum(amount) as amount
    from lines
    where not is_charge and not is_cancellation
    group by invoice
)

select bought.invoice
from bought
inner join given_back on bought.invoice = given_back.invoice and bought.amount = given_back.amount;


-- An invoice is an order, but for the lines that are refunds. One without a customer stays one: staging sets it aside
-- and counts it. A commission taken back makes an order below zero. Statuses other than invoiced are no sales
-- (not_a_sale_statuses in vars.yml).
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


-- Equal lines within an invoice are kept: see docs/looked-at.md for why they are bought twice and not exported twice.
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


-- Where each line of the file went, for the reconciliation. No table of the contract.
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
