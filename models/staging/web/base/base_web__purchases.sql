{{ config(materialized='incremental', event_time='occurred_at') }}
select
    event_id,
    visitor_id,
    order_id,
    occurred_at
from {{ ref('base_web__events') }}
where
    event_type = 'purchase'
    and order_id is not null
    and reject_reason is null
    and {{ is_replaced('occurred_at', replaced_days()) }}
