-- The steps are described in macros/staging/raw_table.sql, the checks of each column in the YAML of the source.
{% set subscription_orders = raw_table('billing', 'subscription_orders') %}

with {{ raw_rows(subscription_orders) }},

{{ trimmed_rows(subscription_orders) }},

{{ typed_rows(subscription_orders) }},

{{ validated_rows(subscription_orders) }},

{{ duplicate_keys(subscription_orders) }},

{{ flagged_rows(subscription_orders) }},

{{ clean_rows(subscription_orders) }}

select {{ base_columns(subscription_orders) }} from clean_rows
union all
select {{ base_columns(subscription_orders) }} from flagged_rows
