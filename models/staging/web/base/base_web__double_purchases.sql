-- A reload of the thank-you page sends the purchase again with a new event id. The first one counts, however old it is.
with purchases as (
    select
        *,
        row_number() over (partition by order_id order by occurred_at, event_id) as copy_number
    from {{ ref('base_web__purchases') }}
)

select
    event_id,
    visitor_id,
    order_id,
    occurred_at
from purchases
where copy_number > 1
