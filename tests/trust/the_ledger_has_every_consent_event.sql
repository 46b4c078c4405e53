-- The latest ledger event of each row equals its current content. A build as of the past adds nothing, so it is exempt.
with newest as (
    select
        source_system,
        source_key,
        {{ dbt.hash(consent_content()) }} as content_id,
        row_number() over (
            partition by source_system, source_key
            order by recorded_at desc, consent_status in ('granted', 'pending') asc, consent_event_id asc
        ) as newest_first
    from {{ ref('consent_ledger') }}
)

select events.consent_event_id
from {{ ref('consent_events') }} as events
left join newest
    on events.source_system = newest.source_system and events.source_key = newest.source_key and newest.newest_first = 1
where
    events.consent_event_id is distinct from newest.content_id
    and (events.consent_status <> '{{ not_said() }}' or newest.content_id is not null)
    and coalesce((select max(recorded_at) from {{ ref('consent_ledger') }}), {{ as_of() }}) <= {{ as_of() }}
