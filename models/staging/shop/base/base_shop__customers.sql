-- The steps are described in macros/staging/raw_table.sql, the checks of each column in the YAML of the source.
{% set customers = raw_table('shop', 'customers') %}

with {{ raw_rows(customers) }},

{{ trimmed_rows(customers) }},

{{ typed_rows(customers) }},

{{ validated_rows(customers) }},

{{ duplicate_keys(customers) }},

{{ flagged_rows(customers) }},

{{ clean_rows(customers) }}

select {{ base_columns(customers) }} from clean_rows
union all
select {{ base_columns(customers) }} from flagged_rows
