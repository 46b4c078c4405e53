-- The lifecycle stages have the shares of the list that are expected of them. A warning: real lists differ.
{{ config(severity='warn') }}
select
    segment,
    n_members,
    share_of_customers,
    min_expected_share,
    max_expected_share
from {{ ref('segment_health') }}
where kind = 'lifecycle' and share_beyond_expected <> 0
