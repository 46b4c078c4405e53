-- No campaign of the calendar was added after its own day: such a campaign never goes out.
select
    campaign,
    'Campaign ' || campaign || ' of seed campaign_calendar has the day ' || cast(sends_on as {{ dbt.type_string() }}) || ', and was added on '
    || cast(added_on as {{ dbt.type_string() }}) || '. Give it a later day.' as sentence
from {{ ref('campaign_calendar') }}
where sends_on < added_on
