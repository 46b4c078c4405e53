-- No address is in the outbox twice for an audience: two changes of one profile could undo each other.
select
    destination,
    audience,
    email
from {{ ref('sync_outbox') }}
where operation <> 'send'
group by destination, audience, email
having count(*) > 1
