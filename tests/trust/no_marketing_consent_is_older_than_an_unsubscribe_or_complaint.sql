-- Checked against the message events, without the consent models.
with closings as (
    select
        profiles.customer_id,
        max(events.occurred_at) as last_closed_at
    from {{ ref('stg_esp__message_events') }} as events
    inner join {{ ref('record_customers') }} as profiles
        on profiles.record_type = 'esp_profile' and events.profile_id = profiles.record_id
    where events.event_type in ('unsubscribed', 'complained')
    group by profiles.customer_id
)

select consents.*
from {{ ref('consents') }} as consents
inner join {{ ref('consent_purposes') }} as purposes
    on consents.channel = purposes.channel and consents.purpose = purposes.purpose
inner join closings on consents.customer_id = closings.customer_id
where
    consents.is_allowed
    and purposes.is_marketing
    and coalesce(consents.since <= closings.last_closed_at, true)
