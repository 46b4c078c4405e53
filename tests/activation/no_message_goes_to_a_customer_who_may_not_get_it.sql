-- No message leaves that was not decided, and none for a customer who may not get its class of mail today.
select
    outbox.outbox_id,
    outbox.audience as flow,
    outbox.customer_id
from {{ ref('sync_outbox') }} as outbox
left join {{ ref('message_payloads') }} as payloads on outbox.outbox_id = payloads.outbox_id
left join {{ ref('flow_catalog') }} as flows on outbox.audience = flows.flow
left join {{ ref('contactability') }} as contacts
    on
        outbox.customer_id = contacts.customer_id
        and flows.message_class = contacts.message_class
        and contacts.channel = 'email'
where
    outbox.operation = 'send'
    and (payloads.outbox_id is null or not coalesce(contacts.is_allowed, false) or outbox.expires_at < outbox.decided_at)
