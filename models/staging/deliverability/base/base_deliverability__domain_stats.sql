-- The steps are described in macros/staging/raw_table.sql, the checks of each column in the YAML of the source.
{% set domain_stats = raw_table('deliverability', 'domain_stats') %}

with {{ raw_rows(domain_stats) }},

{{ trimmed_rows(domain_stats) }},

{{ typed_rows(domain_stats) }},

{{ validated_rows(domain_stats) }},

{{ duplicate_keys(domain_stats) }},

{{ flagged_rows(domain_stats) }},

{{ clean_rows(domain_stats) }}

select {{ base_columns(domain_stats) }} from clean_rows
union all
select {{ base_columns(domain_stats) }} from flagged_rows
