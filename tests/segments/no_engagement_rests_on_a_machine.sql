-- No customer is engaged without a session, an order or a human click.
with members as (
    {{ members_today(['highly_engaged', 'engaged']) }}
),

-- A session counts on its first day. It may end on the next day, or months later if its session id lives that long.
active_customers as (
    select customer_id
    from {{ ref('web_sessions') }}
    where {{ day_of('ended_at') }} >= {{ days_before(as_of_day(), 1 + var('engaged_days') + var('engaged_band_days')) }}
    union distinct
    select customer_id
    from {{ ref('customer_daily_activity') }}
    where
        n_sessions + n_orders + n_human_clicks > 0
        and activity_on >= {{ days_before(as_of_day(), 1 + var('engaged_days') + var('engaged_band_days')) }}
)

select
    members.segment,
    members.customer_id
from members
left join active_customers on members.customer_id = active_customers.customer_id
where active_customers.customer_id is null
