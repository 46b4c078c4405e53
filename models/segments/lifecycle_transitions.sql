with erased_customers as (
    select distinct old_customer_id as customer_id
    from {{ ref('customer_id_changes') }}
    where change_type = 'erasure'
),

changes as (
    select
        changes.customer_id,
        changes.segment as stage,
        changes.change_number,
        changes.is_member,
        changes.changed_at,
        {{ day_of('changes.changed_at') }} as moved_on
    from {{ ref('segment_changes') }} as changes
    inner join {{ ref('segment_catalog') }} as catalog on changes.segment = catalog.segment
    left join erased_customers on changes.customer_id = erased_customers.customer_id
    where catalog.kind = 'lifecycle' and changes.changed_at <= {{ as_of() }} and erased_customers.customer_id is null
),

-- Entries and exits of a stage alternate, so the first change of a day shows its start and the last its end.
days as (
    select
        customer_id,
        moved_on,
        stage,
        {{ value_at_min('is_member', 'change_number', is_unique=true) }} as began_with_entering,
        {{ value_at_max('is_member', 'change_number', is_unique=true) }} as ended_inside,
        max(changed_at) as moved_at
    from changes
    group by customer_id, moved_on, stage
),

-- Each customer is in one stage, so a day has at most one exit and one entry.
moves as (
    select
        customer_id,
        moved_on,
        max(case when not began_with_entering and not ended_inside then stage end) as from_stage,
        max(case when began_with_entering and ended_inside then stage end) as to_stage,
        max(moved_at) as moved_at
    from days
    group by customer_id, moved_on
),

possible_moves as (
    select * from {{ ref('lifecycle_moves') }}
)

select
    moves.customer_id,
    moves.moved_on,
    moves.from_stage,
    moves.to_stage,
    possible_moves.from_stage is not null as is_possible,
    case
        when possible_moves.from_stage is not null then possible_moves.because
        else
            'Orders were removed (customers were split or merged, or an order was cancelled), '
            || 'or the thresholds of the stages were changed.'
    end as explanation,
    moves.moved_at
from moves
left join possible_moves
    on moves.from_stage = possible_moves.from_stage and moves.to_stage = possible_moves.to_stage
where moves.from_stage is not null and moves.to_stage is not null
