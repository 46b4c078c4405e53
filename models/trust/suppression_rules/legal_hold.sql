-- Whoever the shop is in dispute with hears from its lawyers.
select
    customer_id,
    'everything' as scope,
    min(held_since) as since,
    case when count(*) = count(held_until) then max(held_until) end as until,
    'Is under legal hold since ' || {{ day_text('min(held_since)') }} || '.' as reason
from {{ ref('legal_hold_customers') }}
where held_since <= {{ as_of() }}
group by customer_id
