select
    campaign_id,
    name as campaign_name,
    subject,
    message_class,
    sent_at
from {{ ref('base_esp__campaigns') }}
where reject_reason is null
