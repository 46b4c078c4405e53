-- The steps are described in macros/staging/raw_table.sql, the checks of each column in the YAML of the source.
{% set profiles = raw_table('esp', 'profiles') %}

with {{ raw_rows(profiles) }},

{{ trimmed_rows(profiles) }},

{{ typed_rows(profiles) }},

{{ validated_rows(profiles) }},

{{ duplicate_keys(profiles) }},

{{ flagged_rows(profiles) }},

{{ clean_rows(profiles) }}

select {{ base_columns(profiles) }} from clean_rows
union all
select {{ base_columns(profiles) }} from flagged_rows
