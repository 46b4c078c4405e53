-- A purchase event fired twice is one purchase: no order has two purchase events left after staging.
select
    order_id,
    count(*) as n_purchases
from {{ ref('stg_web__events') }}
where event_type = 'purchase' and order_id is not null
group by order_id
having count(*) > 1
