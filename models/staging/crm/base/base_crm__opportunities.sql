-- The steps are described in macros/staging/raw_table.sql, the checks of each column in the YAML of the source.
{% set opportunities = raw_table('crm', 'opportunities') %}

with {{ raw_rows(opportunities) }},

{{ trimmed_rows(opportunities) }},

{{ typed_rows(opportunities) }},

{{ validated_rows(opportunities) }},

{{ duplicate_keys(opportunities) }},

{{ flagged_rows(opportunities) }},

{{ clean_rows(opportunities) }}

select {{ base_columns(opportunities) }} from clean_rows
union all
select {{ base_columns(opportunities) }} from flagged_rows
