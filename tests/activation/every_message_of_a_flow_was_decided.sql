-- Every message of a campaign named Mailroom … was decided here. A warning, because the cause is a campaign that something else
-- started at the ESP.
{{ config(severity='warn') }}

select
    count(*) as n_messages,
    cast(count(*) as {{ dbt.type_string() }}) || ' messages of flows were sent in the last 30 days and never decided. What else starts '
    || 'these campaigns at the ESP?' as sentence
from {{ ref('message_outcomes') }}
where outcome = 'never_decided'
having count(*) > 0
