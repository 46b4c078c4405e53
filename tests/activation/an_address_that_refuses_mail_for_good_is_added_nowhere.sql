-- An address that refuses mail for good is added nowhere, though somebody else may have it too.
select
    outbox.audience,
    outbox.customer_id
from {{ ref('sync_outbox') }} as outbox
inner join {{ ref('audience_decisions') }} as decisions on outbox.email = decisions.email
where outbox.operation in ('add', 'update') and decisions.audience = 'do_not_mail' and decisions.is_member
