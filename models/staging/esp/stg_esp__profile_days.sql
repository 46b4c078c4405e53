-- Message events by profile and day. Refusals are not counted here, because they may arrive late: stg_esp__refusal_days is
-- rebuilt each time.
{{ config(materialized='incremental', event_time='activity_on') }}

select
    profile_id,
    {{ day_of('occurred_at') }} as activity_on,
    count(*) as n_events,
    count(case when is_sending then 1 end) as n_emails_sent,
    count(case when event_type = 'delivered' then 1 end) as n_emails_delivered,
    count(case when event_type = 'opened' and not is_machine then 1 end) as n_human_opens,
    count(case when event_type = 'clicked' and not is_machine then 1 end) as n_human_clicks,
    count(case when is_machine then 1 end) as n_machine_events,
    max(case when event_type = 'opened' and not is_machine then occurred_at end) as last_human_opened_at,
    max(case when event_type = 'clicked' and not is_machine then occurred_at end) as last_human_clicked_at
from {{ ref('stg_esp__message_events') }}
where not {{ is_refusal() }} and {{ is_replaced('occurred_at', replaced_days()) }}
group by 1, 2
