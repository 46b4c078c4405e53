-- The steps are described in macros/staging/raw_table.sql, the checks of each column in the YAML of the source.
{% set ip_stats = raw_table('deliverability', 'ip_stats') %}

with {{ raw_rows(ip_stats) }},

{{ trimmed_rows(ip_stats) }},

{{ typed_rows(ip_stats) }},

{{ validated_rows(ip_stats) }},

{{ duplicate_keys(ip_stats) }},

{{ flagged_rows(ip_stats) }},

{{ clean_rows(ip_stats) }}

select {{ base_columns(ip_stats) }} from clean_rows
union all
select {{ base_columns(ip_stats) }} from flagged_rows
