-- The steps are described in macros/staging/raw_table.sql, the checks of each column in the YAML of the source.
{% set campaigns = raw_table('esp', 'campaigns') %}

with {{ raw_rows(campaigns) }},

{{ trimmed_rows(campaigns) }},

{{ typed_rows(campaigns) }},

{{ validated_rows(campaigns) }},

{{ duplicate_keys(campaigns) }},

{{ flagged_rows(campaigns) }},

{{ clean_rows(campaigns) }}

select {{ base_columns(campaigns) }} from clean_rows
union all
select {{ base_columns(campaigns) }} from flagged_rows
