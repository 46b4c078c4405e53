-- Money of every invoice line, floor by floor: the parts of each floor add up to the file.
-- file, contract: input and output of map.sql. ledger: the target of each line. The other floors are the built warehouse.
with lines_of_orders as (
    select
        invoice as order_id,
        count(*) as n_lines,
        count(*) filter (where mapped_to = 'shipping') as n_shipping_lines
    from ledger
    where mapped_to <> 'refunds'
    group by invoice
),

parts as (
    select
        '1 the file' as floor,
        'every line' as part,
        count(*) as n_lines,
        count(distinct invoice) as n_orders,
        count(distinct customer_id) as n_customers,
        sum(cast(round(quantity * cast(price as decimal(18, 4)), 2) as decimal(18, 2))) as amount
    from raw_file
    union all
    select
        '2 the contract',
        'order_lines',
        count(*),
        count(distinct order_id),
        null,
        sum(cast(round(quantity * unit_price, 2) as decimal(18, 2)))
    from contract_order_lines
    union all
    select
        '2 the contract',
        'postage, as orders.shipping_amount',
        (select count(*) from ledger where mapped_to = 'shipping'),
        count(*) filter (where shipping_amount <> 0),
        null,
        sum(shipping_amount)
    from contract_orders
    union all
    select
        '2 the contract',
        'refunds',
        count(*),
        (select count(distinct invoice) from ledger where mapped_to = 'refunds'),
        count(distinct customer_id),
        -sum(amount)
    from contract_refunds
    union all
    select
        '3 staging',
        'kept: order lines',
        count(*),
        count(distinct lines.order_id),
        count(distinct orders.shop_customer_id),
        sum(lines.gross_amount)
    from main_staging.stg_shop__order_lines as lines
    inner join main_staging.stg_shop__orders as orders on lines.order_id = orders.order_id
    union all
    select
        '3 staging',
        'kept: postage',
        sum(lines_of_orders.n_shipping_lines),
        count(*) filter (where orders.shipping_amount <> 0),
        count(distinct orders.shop_customer_id) filter (where orders.shipping_amount <> 0),
        sum(orders.shipping_amount)
    from main_staging.stg_shop__orders as orders
    inner join lines_of_orders on orders.order_id = lines_of_orders.order_id
    union all
    select
        '3 staging',
        'kept: refunds',
        count(*),
        count(distinct ledger.invoice),
        count(distinct stg_shop__refunds.shop_customer_id),
        -sum(stg_shop__refunds.refund_amount)
    from main_staging.stg_shop__refunds
    inner join ledger on stg_shop__refunds.refund_id = ledger.line_id
    union all
    select
        '4 orders, order_lines, refunds',
        'sales: order lines',
        sum(n_lines),
        count(*),
        count(distinct customer_id),
        sum(net_amount)
    from main.orders
    where is_sale
    union all
    select
        '4 orders, order_lines, refunds',
        'sales: postage',
        sum(lines_of_orders.n_shipping_lines),
        count(*) filter (where orders.shipping_amount <> 0),
        count(distinct orders.customer_id) filter (where orders.shipping_amount <> 0),
        sum(orders.shipping_amount)
    from main.orders
    inner join lines_of_orders on orders.order_id = lines_of_orders.order_id
    where orders.is_sale
    union all
    select
        '4 orders, order_lines, refunds',
        'no sale: ' || orders.order_status,
        sum(lines_of_orders.n_lines),
        count(*),
        count(distinct orders.customer_id),
        sum(orders.total_amount)
    from main.orders
    inner join lines_of_orders on orders.order_id = lines_of_orders.order_id
    where not orders.is_sale
    group by orders.order_status
    union all
    select
        '4 orders, order_lines, refunds',
        case
            when not refunds.is_sale then 'no sale: its refunds'
            when refunds.order_id is null then 'refunds of a customer'
            else 'refunds of an order'
        end,
        count(*),
        count(distinct ledger.invoice),
        count(distinct refunds.customer_id),
        -sum(refunds.refund_amount)
    from main.refunds
    inner join ledger on refunds.refund_id = ledger.line_id
    group by 2
    union all
    select
        '5 customers',
        'refunded postage',
        null,
        null,
        count(distinct customer_id),
        -sum(shipping_amount)
    from main.refunds
    where is_sale and shipping_amount <> 0
    union all
    select
        '5 customers',
        'net_revenue',
        null,
        sum(n_orders),
        count(*),
        sum(net_revenue)
    from main.customers
),

rejected_parts as (
    select
        'set aside: ' || rejected_rows.table_name || ', ' || rejected_rows.reason as part,
        sum(case when rejected_rows.table_name = 'orders' then lines_of_orders.n_lines else 1 end) as n_lines,
        count(distinct coalesce(ledger.invoice, rejected_rows.row_key)) as n_orders,
        sum(case when rejected_rows.table_name = 'refunds' then -rejected_rows.amount else rejected_rows.amount end) as amount
    from main.rejected_rows
    left join lines_of_orders on rejected_rows.row_key = lines_of_orders.order_id
    left join ledger on rejected_rows.row_key = ledger.line_id
    where
        not rejected_rows.is_kept
        and rejected_rows.table_name in ('orders', 'refunds')
    group by rejected_rows.table_name, rejected_rows.reason
)

select * from parts
union all
select
    floors.floor,
    rejected_parts.part,
    rejected_parts.n_lines,
    rejected_parts.n_orders,
    null as n_customers,
    rejected_parts.amount
from rejected_parts
cross join (values ('3 staging'), ('4 orders, order_lines, refunds'), ('5 customers')) as floors (floor)
union all
-- Amounts that are neither revenue nor refunds are taken over from the floor below.
select
    '5 customers' as floor,
    part,
    null as n_lines,
    n_orders,
    n_customers,
    amount
from parts
where floor like '4%' and (part = 'sales: postage' or part like 'no sale:%')
order by 1, 2
