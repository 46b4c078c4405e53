-- What a system says today stands in the ledger today.
select events.consent_event_id
from {{ ref('consent_events') }} as events
left join {{ ref('consent_history') }} as history on events.consent_event_id = history.consent_event_id
where history.consent_event_id is null
