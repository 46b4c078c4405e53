-- In a dispute only the shop's lawyers write to the customer.
select
    customer_id,
    'everything' as scope,
    min(held_since) as since,
    case when count(*) = count(held_until) then max(held_until) end as until,
    'Under legal hold since ' || {{ day_text('min(held_since)') }} || '.' as reason
from {{ ref('legal_hold_customers') }}
where held_since <= {{ as_of() }}
group by customer_id
