-- The steps are described in macros/staging/raw_table.sql, the checks of each column in the YAML of the source.
{% set products = raw_table('shop', 'products') %}

with {{ raw_rows(products) }},

{{ trimmed_rows(products) }},

{{ typed_rows(products) }},

{{ validated_rows(products) }},

{{ duplicate_keys(products) }},

{{ flagged_rows(products) }},

{{ clean_rows(products) }}

select {{ base_columns(products) }} from clean_rows
union all
select {{ base_columns(products) }} from flagged_rows
