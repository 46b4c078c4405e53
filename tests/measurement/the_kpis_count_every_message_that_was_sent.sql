-- The programme's counts add up to the messages of email_events, whatever they are split by. Of the days that each build counts again:
-- older counts keep the messages of customers who were erased since.
with counted as (
    select sum(n_sent) as n_sent
    from {{ ref('programme_kpis') }}
    where kpi_on > {{ days_before(as_of_day(), var('lateness_days')) }}
),

sent as (
    select count(distinct message_id || '/' || customer_id) as n_sent
    from {{ ref('email_events') }}
    where
        is_sending
        and occurred_at <= {{ as_of() }}
        and {{ day_of('occurred_at') }} > {{ days_before(as_of_day(), var('lateness_days')) }}
)

select
    counted.n_sent,
    sent.n_sent as n_in_events
from counted
cross join sent
where coalesce(counted.n_sent, 0) <> sent.n_sent
