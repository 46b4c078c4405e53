-- The steps are described in macros/staging/raw_table.sql, the checks of each column in the YAML of the source.
{% set orders = raw_table('shop', 'orders') %}

with {{ raw_rows(orders) }},

{{ trimmed_rows(orders) }},

{{ typed_rows(orders) }},

{{ validated_rows(orders) }},

{{ duplicate_keys(orders) }},

{{ flagged_rows(orders) }},

{{ clean_rows(orders) }}

select {{ base_columns(orders) }} from clean_rows
union all
select {{ base_columns(orders) }} from flagged_rows
