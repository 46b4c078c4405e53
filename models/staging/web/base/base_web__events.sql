{{ config(materialized='view') }}
-- The steps are described in macros/staging/raw_table.sql, the checks of each column in the YAML of the source.
{% set events = raw_table('web', 'events', flagged_rows=ref('base_web__flawed_events')) %}

with {{ raw_rows(events) }},

{{ trimmed_rows(events) }},

{{ typed_rows(events) }},

{{ clean_rows(events) }}

select {{ base_columns(events) }} from clean_rows
union all
select {{ base_columns(events) }} from {{ ref('base_web__flawed_events') }}
