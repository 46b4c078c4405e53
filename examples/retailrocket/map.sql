-- Retailrocket, mapped onto the contract's web.events, shop.orders and shop.order_lines.
--
-- The file has a row per visitor, item and behaviour: what, when, nothing else. It gives no prices, so money is 0
-- everywhere; no names or categories of items, no order numbers, no logins. And it has one row where a visitor looked at
-- an item ten times or bought it twice, so counts are lower bounds, and some views are later than the purchase.
-- raw_file is that file, with the number of each row in file_row_number.

-- A purchase is a row per item. Rows of one visitor less than a minute after one another are one order: between
-- ten seconds and a minute the file has no two, so the line is easily drawn.
-- A session ends with half an hour of silence. The shop is busiest around midnight UTC, where days would cut it in two.
create table actions as
with steps as (
    select
        *,
        lag(event_at) over (
            partition by visitor_idx, event = 'transaction' order by event_at, file_row_number
        ) as previous_of_its_kind_at,
        lag(event_at) over (partition by visitor_idx order by event_at, file_row_number) as previous_at
    from raw_file
)

select
    file_row_number,
    -- The file numbers visitors from 0, and an id of 0 is what systems write for a guest.
    'v' || visitor_idx as visitor_id,
    cast(item_idx as varchar) as product_id,
    event,
    visitor_idx || '-' || sum(case when previous_at >= event_at - interval 30 minute then 0 else 1 end) over (
        partition by visitor_idx order by event_at, file_row_number
    ) as session_id,
    case
        when event = 'transaction'
            then visitor_idx || '-' || sum(
                case when previous_of_its_kind_at >= event_at - interval 1 minute then 0 else 1 end
            ) over (partition by visitor_idx, event = 'transaction' order by event_at, file_row_number)
    end as order_id,
    event_at
from steps;


-- Nobody logs in, so an order is the visitor's (var keep_anonymous_visitors). There is no currency to state.
create table orders as
select
    order_id,
    any_value(visitor_id) as visitor_id,
    min(event_at) as ordered_at
from actions
where order_id is not null
group by order_id;


-- One unit, as far as is known. The contract wants a price: 0.
create table order_lines as
select
    order_id || '-' || product_id as order_line_id,
    order_id,
    product_id,
    1 as quantity,
    0 as unit_price
from actions
where order_id is not null;


create table products as
select distinct product_id
from actions;


-- A purchase event is one per order, as a thank-you page fires it; its items are order_lines.
create table events as
select
    'e' || file_row_number as event_id,
    visitor_id,
    session_id,
    case event when 'view' then 'product_view' when 'addtocart' then 'add_to_cart' end as event_type,
    product_id,
    cast(null as varchar) as order_id,
    event_at as occurred_at
from actions
where event in ('view', 'addtocart')
union all
select
    'o' || order_id as event_id,
    any_value(visitor_id) as visitor_id,
    arg_min(session_id, event_at) as session_id,
    'purchase' as event_type,
    cast(null as varchar) as product_id,
    order_id,
    min(event_at) as occurred_at
from actions
where order_id is not null
group by order_id;


-- Where each row of the file went, for the reconciliation. No table of the contract.
create table ledger as
select
    file_row_number,
    visitor_id,
    event,
    order_id,
    case when order_id is null then 'events' else 'order_lines' end as mapped_to
from actions;
