{% set never_late = {'event_type': refusals()} %}
{{ config(
    materialized='incremental', incremental_strategy='replace_flawed', unique_key='event_id', event_time='occurred_at',
    meta={'built_through': 'stg_esp__profile_days.activity_on', 'never_late': never_late}
) }}
-- The steps are described in macros/staging/raw_table.sql, the checks of each column in the YAML of the source.
{% set events = raw_table('esp', 'message_events', days=replaced_days(), never_late=never_late) %}

with {{ raw_rows(events) }},

{{ trimmed_rows(events) }},

{{ typed_rows(events, is_read_once=true) }},

{{ validated_rows(events) }},

{{ duplicate_keys(events) }},

{{ flagged_rows(events) }},

{{ replaced_rows(events) }}

select {{ base_columns(events) }} from replaced_rows
