-- The steps are described in macros/staging/raw_table.sql, the checks of each column in the YAML of the source.
{% set consent_events = raw_table('privacy', 'consent_events') %}

with {{ raw_rows(consent_events) }},

{{ trimmed_rows(consent_events) }},

{{ typed_rows(consent_events) }},

{{ validated_rows(consent_events) }},

{{ duplicate_keys(consent_events) }},

{{ flagged_rows(consent_events) }},

{{ clean_rows(consent_events) }}

select {{ base_columns(consent_events) }} from clean_rows
union all
select {{ base_columns(consent_events) }} from flagged_rows
