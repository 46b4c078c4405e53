-- The steps are described in macros/staging/raw_table.sql, the checks of each column in the YAML of the source.
{% set order_lines = raw_table('shop', 'order_lines') %}

with {{ raw_rows(order_lines) }},

{{ trimmed_rows(order_lines) }},

{{ typed_rows(order_lines) }},

{{ validated_rows(order_lines) }},

{{ duplicate_keys(order_lines) }},

{{ flagged_rows(order_lines) }},

{{ clean_rows(order_lines) }}

select {{ base_columns(order_lines) }} from clean_rows
union all
select {{ base_columns(order_lines) }} from flagged_rows
