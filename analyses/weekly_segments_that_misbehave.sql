-- Weekly: which segments are too small, too large, unstable, or depend on stale or sparse fields?
select
    segment,
    owner,
    n_members,
    share_of_customers,
    min_expected_share,
    max_expected_share,
    n_entered_7d,
    n_left_7d,
    problem
from {{ ref('segment_health') }}
where problem is not null
order by n_members desc, segment
