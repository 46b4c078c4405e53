-- The lifecycle stages have their expected shares of the list. A warning only, because real lists differ.
{{ config(severity='warn') }}
select
    'Stage ' || segment || ' has ' || {{ tenths_text('share_of_customers') }} || ' of all customers (' || cast(n_members as {{ dbt.type_string() }})
    || '). Expected: ' || {{ tenths_text('min_expected_share') }} || ' to ' || {{ tenths_text('max_expected_share') }}
    || '. Adjust the lifecycle vars, or expected_share in the YAML of the segment.' as sentence
from {{ ref('segment_health') }}
where kind = 'lifecycle' and share_beyond_expected <> 0
