-- The lifecycle stages have the shares of the list that are expected of them. A warning: real lists differ.
{{ config(severity='warn') }}
select
    'Stage ' || segment || ' has ' || {{ tenths_text('share_of_customers') }} || ' of all customers (' || cast(n_members as {{ dbt.type_string() }})
    || '); ' || {{ tenths_text('min_expected_share') }} || ' to ' || {{ tenths_text('max_expected_share') }}
    || ' are usual. Set its days among the vars of the lifecycle, or min_expected_share and max_expected_share beside the segment.' as sentence
from {{ ref('segment_health') }}
where kind = 'lifecycle' and share_beyond_expected <> 0
