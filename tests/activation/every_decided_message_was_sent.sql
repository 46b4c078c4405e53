-- Every message that was decided was accepted by its destination, or still waits. A warning, because the cause is a push that did
-- not run.
{{ config(severity='warn') }}

select
    flow,
    count(*) as n_messages,
    flow || ': ' || cast(count(*) as {{ dbt.type_string() }}) || ' messages of the last 30 days were decided and never sent. Does '
    || 'mailroom push run after each build?' as sentence
from {{ ref('message_outcomes') }}
where outcome = 'never_sent'
group by flow
