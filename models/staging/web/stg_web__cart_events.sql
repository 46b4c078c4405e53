-- Single cart events, because their order decides what is still in the cart.
{{ config(materialized='incremental', event_time='occurred_at') }}
select
    event_id,
    visitor_id,
    {{ session_key() }} as session_key,
    product_id,
    event_type,
    quantity,
    occurred_at
from {{ ref('stg_web__events') }}
where
    event_type in ('add_to_cart', 'remove_from_cart')
    and occurred_at >= cast({{ carts_since() }} as timestamp)
    and {{ is_replaced('occurred_at', replaced_days()) }}
