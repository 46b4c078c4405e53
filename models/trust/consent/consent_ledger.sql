-- Every consent event as it was given. The ledger only grows: a full refresh does not empty it, an event stays when its system
-- deletes or changes it, and a build as of the past adds nothing. It names erased persons until macro purge_erased has run, so
-- read consent_history instead.
-- Longer than 120 lines because it names the columns of the ledger once for each of its two kinds of new rows, and compares
-- both with the ledger.
{% set texts = ['email', 'phone', 'shop_customer_id', 'contact_id', 'profile_id', 'visitor_id', 'lawful_basis', 'recorded_by', 'form', 'text_version'] %}
{{ config(materialized='incremental', incremental_strategy='append', full_refresh=false, on_schema_change='append_new_columns') }}

with current_events as (
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

ledger_rows as (
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

ledger_state as (
    select coalesce(max(recorded_at), {{ as_of() }}) <= {{ as_of() }} as is_forwards from {{ this }}
),

-- The opt-in of a rejected duplicate ends when the duplicate is gone and its key is still there.
silenced_copies as (
    select
        ledger_rows.source_system,
        ledger_rows.source_key,
        {% for column in texts -%}
        cast(null as {{ dbt.type_string() }}) as {{ column }},
        {% endfor -%}
        ledger_rows.channel,
        ledger_rows.purpose,
        '{{ not_said() }}' as consent_status,
        cast(null as timestamp) as confirmed_at,
        cast(null as timestamp) as occurred_at
    from ledger_rows
    inner join (select distinct source_system, {{ row_of('source_key') }} as row_of from current_events) as keys
        on ledger_rows.source_system = keys.source_system and ledger_rows.row_of = keys.row_of
    left join current_events as today
        on ledger_rows.source_system = today.source_system and ledger_rows.source_key = today.source_key
    where
        ledger_rows.newest_first = 1
        and {{ is_set_aside('ledger_rows.source_key') }}
        and ledger_rows.consent_status in ('granted', 'pending')
        and today.source_key is null
),

events as (
    {% for part in ['current_events', 'silenced_copies'] -%}
    select
        {{ 'consent_event_id' if part == 'current_events' else dbt.hash(consent_content()) ~ ' as consent_event_id' }},
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

-- An event is new if it differs from the last event of the same row, even if the row said the same earlier.
new_events as (
    select
        events.*,
        ledger_rows.consent_event_id is not null as is_of_known_row
    from events
    left join ledger_rows
        on
            events.source_system = ledger_rows.source_system
            and events.source_key = ledger_rows.source_key
            and ledger_rows.newest_first = 1
    cross join ledger_state
    where
        ledger_state.is_forwards
        and events.consent_event_id is distinct from ledger_rows.consent_event_id
        and (events.consent_status <> '{{ not_said() }}' or ledger_rows.consent_event_id is not null)
)
{%- endif %}

-- email_then: an opt-in is for the address its record had at that time, not for a later one.
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
from {{ 'new_events' if is_incremental() else 'current_events' }} as events
left join records as accounts on accounts.record_key = 'shop_customer:' || events.shop_customer_id
left join records as contacts on contacts.record_key = 'crm_contact:' || events.contact_id
left join records as profiles on profiles.record_key = 'esp_profile:' || events.profile_id
{%- if not is_incremental() %}
where events.consent_status <> '{{ not_said() }}'
{%- endif %}
