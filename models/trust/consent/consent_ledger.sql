-- Every answer as it was given. Only ever added to: a full refresh does not empty it, and an answer that its system
-- forgets stays. It names erased persons too until macro purge_erased has run, so people read consent_history.
{{ config(materialized='incremental', incremental_strategy='append', full_refresh=false, on_schema_change='append_new_columns') }}

with events as (
    select * from {{ ref('consent_events') }}
)

select
    events.consent_event_id,
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
left join {{ this }} as known on events.consent_event_id = known.consent_event_id
where known.consent_event_id is null
{%- endif %}
