-- No customer has a placeholder address (seed blocked_identifiers), because mail to it reaches a stranger.
select
    written_to.customer_id,
    written_to.email
from {{ with_mailboxes(ref('customers')) }} as written_to
inner join {{ with_mailboxes(ref('blocked_identifiers'), email='identifier') }} as blocked
    on blocked.identifier_type = 'email' and written_to.widest_mailbox = blocked.widest_mailbox
