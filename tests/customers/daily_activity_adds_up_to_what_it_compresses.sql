-- The daily history counts every order, refund, session, human click and ticket of a customer once.
with activity as (
    select
        sum(n_orders) as n_orders,
        sum(n_refunds) as n_refunds,
        sum(n_sessions) as n_sessions,
        sum(n_human_clicks) as n_human_clicks,
        sum(n_tickets) as n_tickets
    from {{ ref('customer_daily_activity') }}
),

events as (
    select
        (select count(*) from {{ ref('orders') }} where is_sale and not is_renewal) as n_orders,
        (select count(*) from {{ ref('refunds') }} where is_sale and not is_head) as n_refunds,
        (select count(*) from {{ ref('web_sessions') }} where customer_id is not null) as n_sessions,
        (
            select count(*) from {{ ref('email_events') }}
            where event_type = 'clicked' and not is_machine
        ) as n_human_clicks,
        (select count(*) from {{ ref('customer_tickets') }}) as n_tickets
)

select
    activity.*,
    events.n_orders as expected_orders,
    events.n_refunds as expected_refunds,
    events.n_sessions as expected_sessions,
    events.n_human_clicks as expected_human_clicks,
    events.n_tickets as expected_tickets
from activity
cross join events
where
    coalesce(activity.n_orders, 0) <> events.n_orders
    or coalesce(activity.n_refunds, 0) <> events.n_refunds
    or coalesce(activity.n_sessions, 0) <> events.n_sessions
    or coalesce(activity.n_human_clicks, 0) <> events.n_human_clicks
    or coalesce(activity.n_tickets, 0) <> events.n_tickets
