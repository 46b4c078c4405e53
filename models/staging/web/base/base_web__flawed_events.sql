{{ config(
    materialized='incremental', incremental_strategy='replace_flawed', unique_key='event_id', event_time='occurred_at',
    meta={'built_through': 'stg_web__sessions.started_at'}
) }}
-- The steps are described in macros/staging/raw_table.sql, the checks of each column in the YAML of the source.
{% set events = raw_table('web', 'events', days=replaced_days()) %}

with {{ raw_rows(events) }},

{{ trimmed_rows(events) }},

{{ typed_rows(events, is_read_once=true) }},

{{ validated_rows(events) }},

{{ duplicate_keys(events) }},

{{ flagged_rows(events) }},

{{ replaced_rows(events) }}

select {{ base_columns(events) }} from replaced_rows
