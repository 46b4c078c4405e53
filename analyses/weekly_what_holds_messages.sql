-- Weekly: which rule held or dropped how many steps of flows in the last 7 days?
select
    flow,
    rule,
    decision,
    count(distinct enrolment_id) as n_enrolments,
    flow || ': ' || {{ counted('count(distinct enrolment_id)', 'enrolment') }} || case decision when 'drop' then ' lost a message to ' else ' waited for ' end
    || rule || '.' as sentence
from {{ ref('message_decisions') }}
where decision <> 'send' and decided_at > {{ date_add('day', -7, as_of()) }} and decided_at <= {{ as_of() }}
group by flow, rule, decision
order by n_enrolments desc, flow, rule, decision
