-- An address is added to no audience if its mailbox refuses mail for good, in any spelling and for any customer.
select
    outbox.audience,
    outbox.customer_id
from {{ with_mailboxes(ref('sync_outbox')) }} as outbox
inner join {{ with_mailboxes(ref('audience_decisions')) }} as decisions on outbox.widest_mailbox = decisions.widest_mailbox
where outbox.operation in ('add', 'update') and decisions.audience = 'do_not_mail' and decisions.is_member
