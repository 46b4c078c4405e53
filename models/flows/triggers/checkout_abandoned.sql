-- A session that reached the checkout and placed no order. The cart trigger leaves its cart alone.
select
    sessions.customer_id,
    sessions.visitor_id || '/' || sessions.session_key as subject_id,
    'the checkout of ' || {{ day_text('sessions.ended_at') }} as subject_name,
    sessions.ended_at as happened_at,
    cast(null as decimal(18, 2)) as amount,
    'Reached the checkout on ' || {{ day_text('sessions.ended_at') }} || ' and has not ordered since.' as reason
from {{ ref('web_sessions') }} as sessions
inner join {{ ref('customers') }} as customers on sessions.customer_id = customers.customer_id
where
    sessions.n_checkouts > 0
    and sessions.n_purchases = 0
    and sessions.ended_at > {{ trigger_since() }}
    and coalesce({{ latest_at('customers.last_ordered_at') }} < sessions.started_at, true)
