-- Weekly: which customers made a move between stages that orders and time cannot explain? The cause is a merge, a split, a
-- cancelled order, or changed vars of the stages.
select
    transitions.moved_on,
    transitions.from_stage,
    transitions.to_stage,
    transitions.customer_id,
    stages.sentence,
    transitions.explanation
from {{ ref('lifecycle_transitions') }} as transitions
left join {{ ref('lifecycle_stages') }} as stages on transitions.customer_id = stages.customer_id
where
    not transitions.is_possible
    and transitions.moved_on > cast({{ date_add('day', -7, as_of()) }} as date)
order by transitions.moved_on, transitions.customer_id
