select
    consent_event_id,
    email,
    phone,
    customer_id as shop_customer_id,
    visitor_id,
    lower(channel) as channel,
    lower(purpose) as purpose,
    lower(status) as consent_status,
    lower(lawful_basis) as lawful_basis,
    lower(recorded_by) as recorded_by,
    form,
    text_version,
    confirmed_at,
    occurred_at
from {{ ref('base_privacy__consent_events') }}
where reject_reason is null
