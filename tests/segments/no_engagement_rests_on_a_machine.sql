-- Nobody is engaged without a session, an order or a click that a person made.
with members as (
    {{ members_today(['highly_engaged', 'engaged']) }}
),

-- A session counts on the day it began, and may end on the next; one whose session id lives for months ends much later.
acted as (
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
left join acted on members.customer_id = acted.customer_id
where acted.customer_id is null
