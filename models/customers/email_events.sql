-- A view, to avoid a second copy of up to fifty million events.
{{ config(materialized='view') }}

with events as (
    select * from {{ ref('stg_esp__message_events') }}
),

profiles as (
    select
        record_id as profile_id,
        customer_id
    from {{ ref('record_customers') }}
    where record_type = 'esp_profile'
),

campaigns as (
    select * from {{ ref('stg_esp__campaigns') }}
)

select
    events.event_id,
    profiles.customer_id,
    events.message_id,
    events.campaign_id,
    events.profile_id,
    campaigns.message_class,
    events.event_type,
    events.bounce_type,
    events.bounce_class,
    events.bounce_code,
    events.url,
    events.machine_reason,
    events.is_machine,
    events.is_sending,
    events.occurred_at
from events
inner join profiles on events.profile_id = profiles.profile_id
left join campaigns on events.campaign_id = campaigns.campaign_id
