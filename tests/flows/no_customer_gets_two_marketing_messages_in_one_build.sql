-- No customer gets two marketing messages in one build, whatever flows they are in.
select
    customer_id,
    decided_at
from {{ ref('message_decisions') }}
where decision = 'send' and message_class <> 'transactional'
group by customer_id, decided_at
having count(*) > 1
