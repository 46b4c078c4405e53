-- No step of an enrolment is sent twice, and none after its shelf life.
select
    enrolment_id,
    step
from {{ ref('message_decisions') }}
where decision = 'send'
group by enrolment_id, step
having count(*) > 1 or max(case when decided_at > expires_at then 1 else 0 end) = 1
