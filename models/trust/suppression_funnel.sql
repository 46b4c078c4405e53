-- Today as it is now, and the builds before as they were then.
select
    measured_at,
    rule,
    rule_number,
    n_customers,
    n_suppressed,
    n_only,
    n_removed,
    n_left
from {{ ref('suppression_counts') }}
union all
select
    measured_at,
    rule,
    rule_number,
    n_customers,
    n_suppressed,
    n_only,
    n_removed,
    n_left
from {{ ref('suppression_count_log') }}
where measured_at < {{ as_of() }}
