-- Weekly: which rules suppress promotional mail, how many customers would each free, and what changed in a week?
with funnel as (
    select * from {{ ref('suppression_funnel') }}
),

moments as (
    select
        max(measured_at) as measured_at,
        max(case when measured_at <= {{ date_add('day', -7, as_of()) }} then measured_at end) as a_week_before
    from funnel
    where measured_at <= {{ as_of() }}
)

select
    funnel.rule,
    funnel.n_suppressed,
    funnel.n_suppressed - before.n_suppressed as n_more_than_a_week_ago,
    funnel.n_only as n_freed_without_it,
    funnel.n_removed,
    funnel.n_left
from funnel
inner join moments on funnel.measured_at = moments.measured_at
left join funnel as before on moments.a_week_before = before.measured_at and funnel.rule = before.rule
order by funnel.rule_number
