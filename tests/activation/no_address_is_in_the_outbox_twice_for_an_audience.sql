-- No address is in the outbox twice for an audience: two wishes about one profile would undo each other.
select
    destination,
    audience,
    email
from {{ ref('sync_outbox') }}
group by destination, audience, email
having count(*) > 1
