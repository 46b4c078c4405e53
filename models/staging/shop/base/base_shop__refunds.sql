-- The steps are described in macros/staging/raw_table.sql, the checks of each column in the YAML of the source.
{% set refunds = raw_table('shop', 'refunds') %}

with {{ raw_rows(refunds) }},

{{ trimmed_rows(refunds) }},

{{ typed_rows(refunds) }},

{{ validated_rows(refunds) }},

{{ duplicate_keys(refunds) }},

{{ flagged_rows(refunds) }},

{{ clean_rows(refunds) }}

select {{ base_columns(refunds) }} from clean_rows
union all
select {{ base_columns(refunds) }} from flagged_rows
