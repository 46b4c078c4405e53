-- Rows of the click stream, floor by floor. Views and cart adds are web events, purchased items are order lines.
with sessions as (
    select
        'views' as part,
        sum(n_product_views) as n_lines,
        count(distinct customer_id) as n_customers
    from main_internal.web_sessions
    where n_product_views > 0
    union all
    select
        'cart adds',
        sum(n_cart_adds),
        count(distinct customer_id)
    from main_internal.web_sessions
    where n_cart_adds > 0
)

select
    '1 the file' as floor,
    case event when 'view' then 'views' when 'addtocart' then 'cart adds' else 'purchased items' end as part,
    count(*) as n_lines,
    count(distinct order_id) as n_orders,
    count(distinct visitor_id) as n_customers,
    0.00 as amount
from ledger
group by event
union all
select
    '2 the contract',
    case event_type when 'product_view' then 'views' else 'cart adds' end,
    count(*),
    0,
    count(distinct visitor_id),
    0
from contract_events
where event_type <> 'purchase'
group by event_type
union all
select
    '2 the contract',
    'purchased items',
    count(*),
    count(distinct lines.order_id),
    count(distinct orders.visitor_id),
    sum(lines.quantity * lines.unit_price)
from contract_order_lines as lines
inner join contract_orders as orders on lines.order_id = orders.order_id
union all
select
    '3 staging',
    case event_type when 'product_view' then 'views' else 'cart adds' end,
    count(*),
    0,
    count(distinct visitor_id),
    0
from main_staging.stg_web__events
where event_type <> 'purchase'
group by event_type
union all
select
    '3 staging',
    'purchased items',
    count(*),
    count(distinct lines.order_id),
    count(distinct orders.visitor_id),
    sum(lines.gross_amount)
from main_staging.stg_shop__order_lines as lines
inner join main_staging.stg_shop__orders as orders on lines.order_id = orders.order_id
union all
select
    '4 sessions, orders, order_lines',
    part,
    n_lines,
    0,
    n_customers,
    0
from sessions
union all
select
    '4 sessions, orders, order_lines',
    'purchased items',
    count(*),
    count(distinct order_id),
    count(distinct customer_id),
    sum(net_amount)
from main.order_lines
where is_sale
union all
select
    '5 customers',
    'every visitor',
    null,
    sum(n_orders),
    count(*),
    sum(net_revenue)
from main.customers
order by 1, 2
