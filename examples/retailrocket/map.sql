-- Retailrocket, mapped onto the contract's web.events, shop.orders and shop.order_lines.
--
-- The file has a row per visitor, item and behaviour with its time. It has no prices, so all amounts are 0. It has no names
-- or categories of items, no order numbers and no logins. Ten views of an item by one visitor, or two purchases, are one row,
-- so counts are lower bounds, and some views are later than the purchase.
-- raw_file is that file, with the number of each row in file_row_number.

-- A purchase has a row per item. Rows of one visitor less than a minute apart are one order: the file has no gaps between ten
-- seconds and a minute, so the limit is clear. A session ends after half an hour without an event. The shop is busiest around
-- midnight UTC, so days would cut sessions in two.
create table actions as
with ordered_events as (
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
    -- The file numbers visitors from 0, and Mailroom ignores an id of 0, which systems write for guests.
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
from ordered_events;


-- Visitors never log in, so an order belongs to its visitor (var keep_anonymous_visitors). The file has no currency.
create table orders as
select
    order_id,
    any_value(visitor_id) as visitor_id,
    min(event_at) as ordered_at
from actions
where order_id is not null
group by order_id;


-- The file has no quantity or price, and the contract requires both: 1 and 0.
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


-- One purchase event per order, as on a thank-you page. Its items are in order_lines.
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


-- The target of each row of the file, for the reconciliation. Not a table of the contract.
create table ledger as
select
    file_row_number,
    visitor_id,
    event,
    order_id,
    case when order_id is null then 'events' else 'order_lines' end as mapped_to
from actions;
