-- The steps are described in macros/staging/raw_table.sql, the checks of each column in the YAML of the source.
{% set requests = raw_table('privacy', 'requests') %}

with {{ raw_rows(requests) }},

{{ trimmed_rows(requests) }},

{{ typed_rows(requests) }},

{{ validated_rows(requests) }},

{{ duplicate_keys(requests) }},

{{ flagged_rows(requests) }},

{{ clean_rows(requests) }}

select {{ base_columns(requests) }} from clean_rows
union all
select {{ base_columns(requests) }} from flagged_rows
