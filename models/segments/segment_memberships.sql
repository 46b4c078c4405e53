-- Membership comes from the ledger alone. A build as of a past day shows what was recorded by then.
with changes as (
    select * from {{ ref('segment_changes') }}
    where changed_at <= {{ as_of() }}
),

candidates as (
    select * from {{ ref('segment_candidates') }}
),

last_changes as (
    select
        customer_id,
        segment,
        {{ value_at_max('is_member', 'change_number', is_unique=true) }} as is_member,
        {{ value_at_max('reason', 'change_number', is_unique=true) }} as reason,
        max(changed_at) as since
    from changes
    group by customer_id, segment
)

select
    last_changes.customer_id,
    last_changes.segment,
    last_changes.since,
    coalesce(candidates.may_enter, false) as is_qualified,
    coalesce(
        candidates.reason, 'As recorded then: ' || last_changes.reason
    ) as reason
from last_changes
left join candidates
    on last_changes.customer_id = candidates.customer_id and last_changes.segment = candidates.segment
where last_changes.is_member
