{{ config(materialized='table') }}
-- Bounces, complaints and unsubscribes by profile and day.
select
    profile_id,
    {{ day_of('occurred_at') }} as activity_on,
    count(*) as n_events,
    count(case when event_type = 'bounced' then 1 end) as n_bounces,
    count(case when is_sending then 1 end) as n_emails_only_bounced
from {{ ref('stg_esp__message_events') }}
where {{ is_refusal() }}
group by 1, 2
