{#
Destination of an ESP profile: the one that it was pulled from, else the one of source esp (var esp_destination, or the
only destination). Null if unknown.
#}
{% macro destination_of_profile(profile_id) -%}
    {%- set destinations = var('destinations').keys() | list -%}
    {%- set source = var('esp_destination') or (destinations[0] if destinations | length == 1) -%}
    case
        {%- for destination in destinations %}
        when {{ profile_id }} like '{{ destination }}-%' then '{{ destination }}'
        {%- endfor %}
        else {{ "'" ~ source ~ "'" if source else 'cast(null as ' ~ dbt.type_string() ~ ')' }}
    end
{%- endmacro %}


{#
Columns of the ledgers that mailroom push and pull write and dbt reads with read_ledger(), by name and type.
src/mailroom/activation/ledger.py writes the same columns. raw() reads the ledgers named after a table of the source
contract without pulled_at, the time that an opt-out was received. Only push reads pulled_at.
#}
{% macro ledger_columns(ledger) %}
    {%- set text = dbt.type_string() -%}
    {{ return({
        'receipts': {
            'receipt_id': text, 'push_id': text, 'batch_id': text, 'attempt': 'bigint', 'outbox_id': text,
            'destination': text, 'audience': text, 'operation': text, 'customer_id': text, 'email': text, 'held': text,
            'status': text, 'code': text, 'message': text, 'reference': text, 'answered_at': 'timestamp',
            'decided_at': 'timestamp', 'sequence': 'bigint'
        },
        'overrides': {
            'push_id': text, 'destination': text, 'audience': text, 'guard': text, 'reason': text, 'because': text,
            'overridden_by': text, 'overridden_at': 'timestamp'
        },
        'pushes': {
            'push_id': text, 'destination': text, 'audience': text, 'outcome': text, 'reason': text, 'n_rows': 'bigint',
            'started_at': 'timestamp', 'ended_at': 'timestamp', 'decided_at': 'timestamp'
        },
        'esp_profiles': {'profile_id': text, 'email': text, 'created_at': text},
        'esp_message_events': {
            'event_id': text, 'message_id': text, 'profile_id': text, 'event_type': text, 'bounce_type': text,
            'occurred_at': text, 'pulled_at': 'timestamp'
        },
        'privacy_consent_events': {
            'consent_event_id': text, 'email': text, 'channel': text, 'purpose': text, 'status': text,
            'lawful_basis': text, 'recorded_by': text, 'form': text, 'confirmed_at': text, 'occurred_at': text,
            'pulled_at': 'timestamp'
        }
    }.get(ledger)) }}
{% endmacro %}


{#
Folder of mailroom push for receipts and the files of destination file: MAILROOM_ACTIVATION, or a folder beside the
warehouse. ledger.activation_folder() returns the same path.
#}
{% macro activation_folder() %}
    {%- set default = env_var('MAILROOM_DUCKDB_PATH', 'warehouse/mailroom.duckdb') | replace('.duckdb', '') ~ '-activation' -%}
    {{ return(env_var('MAILROOM_ACTIVATION', default)) }}
{% endmacro %}
