-- Every answer as it was given. Only ever added to: a full refresh does not empty it, and an answer that its system
-- forgets stays. And only forwards: a build as of the past adds nothing. It names erased persons too until macro
-- purge_erased has run, so people read consent_history.
{{ config(materialized='incremental', incremental_strategy='append', full_refresh=false, on_schema_change='append_new_columns') }}

with events as (
    select * from {{ ref('consent_events') }}
)

{%- if is_incremental() %},

known as (
    select
        *,
        row_number() over (
            partition by source_system, source_key
            order by recorded_at desc, consent_status = 'granted' asc, consent_event_id asc
        ) as newest_first
    from {{ this }}
),

forwards as (
    select coalesce(max(recorded_at), {{ as_of() }}) <= {{ as_of() }} as is_forwards from {{ this }}
),

-- A no without a date that comes back after its system said otherwise is said anew.
returned as (
    select
        events.consent_event_id,
        {{ dbt.hash("events.consent_event_id || '/" ~ as_of_text() ~ "'") }} as new_event_id
    from events
    inner join known
        on events.source_system = known.source_system and events.source_key = known.source_key and known.newest_first = 1
    where
        events.occurred_at is null
        and events.consent_status <> 'granted'
        and (
            known.occurred_at is not null
            or known.consent_status <> events.consent_status
            or known.purpose <> events.purpose
        )
)
{%- endif %}

select
    {% if is_incremental() -%}
    coalesce(
        case when known.consent_event_id is not null then returned.new_event_id end, events.consent_event_id
    ) as consent_event_id,
    {%- else -%}
    events.consent_event_id,
    {%- endif %}
    events.source_system,
    events.source_key,
    events.email,
    events.phone,
    events.shop_customer_id,
    events.contact_id,
    events.profile_id,
    events.visitor_id,
    events.channel,
    events.purpose,
    events.consent_status,
    events.lawful_basis,
    events.recorded_by,
    events.form,
    events.text_version,
    events.confirmed_at,
    events.occurred_at,
    {{ as_of() }} as recorded_at
from events
{% if is_incremental() -%}
left join known on events.consent_event_id = known.consent_event_id
left join returned on events.consent_event_id = returned.consent_event_id
cross join forwards
where forwards.is_forwards and (known.consent_event_id is null or returned.consent_event_id is not null)
{%- endif %}
