-- What a system says today stands in the ledger today.
select events.consent_event_id
from {{ ref('consent_events') }} as events
left join {{ ref('consent_ledger') }} as ledger on events.consent_event_id = ledger.consent_event_id
where ledger.consent_event_id is null
