-- The steps are described in macros/staging/raw_table.sql, the checks of each column in the YAML of the source.
{% set subscriptions = raw_table('billing', 'subscriptions') %}

with {{ raw_rows(subscriptions) }},

{{ trimmed_rows(subscriptions) }},

{{ typed_rows(subscriptions) }},

{{ validated_rows(subscriptions) }},

{{ duplicate_keys(subscriptions) }},

{{ flagged_rows(subscriptions) }},

{{ clean_rows(subscriptions) }}

select {{ base_columns(subscriptions) }} from clean_rows
union all
select {{ base_columns(subscriptions) }} from flagged_rows
