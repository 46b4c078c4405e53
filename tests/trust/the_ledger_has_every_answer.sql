-- What a system says today stands in the ledger today; a build as of the past adds nothing to it.
select events.consent_event_id
from {{ ref('consent_events') }} as events
left join {{ ref('consent_ledger') }} as history on events.consent_event_id = history.consent_event_id
where
    history.consent_event_id is null
    and coalesce((select max(recorded_at) from {{ ref('consent_ledger') }}), {{ as_of() }}) <= {{ as_of() }}
