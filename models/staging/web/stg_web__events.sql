with events as (
    select * from {{ ref('base_web__events') }} where reject_reason is null
),

double_purchases as (
    select * from {{ ref('base_web__double_purchases') }}
)

select
    events.event_id,
    events.visitor_id,
    events.customer_id as shop_customer_id,
    events.email,
    events.session_id,
    events.event_type,
    events.product_id,
    events.category as category_as_given,
    events.order_id,
    events.search_term,
    events.quantity,
    events.utm_source,
    events.utm_campaign,
    events.has_opt_out_signal,
    events.occurred_at
from events
left join double_purchases on events.event_id = double_purchases.event_id
where double_purchases.event_id is null
