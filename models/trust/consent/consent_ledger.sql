-- Every answer as it was given. Only ever added to: a full refresh does not empty it, and an answer that its system
-- forgets or changes stays. And only forwards: a build as of the past adds nothing. It names erased persons too until
-- macro purge_erased has run, so people read consent_history.
{% set texts = ['email', 'phone', 'shop_customer_id', 'contact_id', 'profile_id', 'visitor_id', 'lawful_basis', 'recorded_by', 'form', 'text_version'] %}
{{ config(materialized='incremental', incremental_strategy='append', full_refresh=false, on_schema_change='append_new_columns') }}

with delivered as (
    select * from {{ ref('consent_events') }}
),

records as (
    select
        record_key,
        email,
        phone
    from {{ ref('identity_records') }}
)

{%- if is_incremental() %},

known as (
    select
        source_system,
        source_key,
        {{ row_of('source_key') }} as row_of,
        channel,
        purpose,
        consent_status,
        {{ dbt.hash(consent_content()) }} as consent_event_id,
        row_number() over (
            partition by source_system, source_key
            order by recorded_at desc, consent_status in ('granted', 'pending') asc, consent_event_id asc
        ) as newest_first
    from {{ this }}
),

forwards as (
    select coalesce(max(recorded_at), {{ as_of() }}) <= {{ as_of() }} as is_forwards from {{ this }}
),

-- A copy that said yes and is there no more, though its key is, says it no longer.
silenced_copies as (
    select
        known.source_system,
        known.source_key,
        {% for column in texts -%}
        cast(null as {{ dbt.type_string() }}) as {{ column }},
        {% endfor -%}
        known.channel,
        known.purpose,
        '{{ not_said() }}' as consent_status,
        cast(null as timestamp) as confirmed_at,
        cast(null as timestamp) as occurred_at
    from known
    inner join (select distinct source_system, {{ row_of('source_key') }} as row_of from delivered) as keys
        on known.source_system = keys.source_system and known.row_of = keys.row_of
    left join delivered as today on known.source_system = today.source_system and known.source_key = today.source_key
    where
        known.newest_first = 1
        and {{ is_set_aside('known.source_key') }}
        and known.consent_status in ('granted', 'pending')
        and today.source_key is null
),

events as (
    {% for part in ['delivered', 'silenced_copies'] -%}
    select
        {{ 'consent_event_id' if part == 'delivered' else dbt.hash(consent_content()) ~ ' as consent_event_id' }},
        source_system,
        source_key,
        {{ texts | join(',\n        ') }},
        channel,
        purpose,
        consent_status,
        confirmed_at,
        occurred_at
    from {{ part }}
    {{ 'union all' if not loop.last }}
    {% endfor %}
),

-- New is what differs from the last that the same row said, also if the row said so once before.
new_events as (
    select
        events.*,
        known.consent_event_id is not null as is_of_known_row
    from events
    left join known
        on events.source_system = known.source_system and events.source_key = known.source_key and known.newest_first = 1
    cross join forwards
    where
        forwards.is_forwards
        and events.consent_event_id is distinct from known.consent_event_id
        and (events.consent_status <> '{{ not_said() }}' or known.consent_event_id is not null)
)
{%- endif %}

-- A yes is about the address that its record had then, whatever address it has by now.
select
    {% if is_incremental() -%}
    case
        when events.is_of_known_row then {{ dbt.hash("events.consent_event_id || '/" ~ as_of_text() ~ "'") }}
        else events.consent_event_id
    end as consent_event_id,
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
    {{ as_of() }} as recorded_at,
    case when events.email is null then coalesce(accounts.email, contacts.email, profiles.email) end as email_then
from {{ 'new_events' if is_incremental() else 'delivered' }} as events
left join records as accounts on accounts.record_key = 'shop_customer:' || events.shop_customer_id
left join records as contacts on contacts.record_key = 'crm_contact:' || events.contact_id
left join records as profiles on profiles.record_key = 'esp_profile:' || events.profile_id
{%- if not is_incremental() %}
where events.consent_status <> '{{ not_said() }}'
{%- endif %}
