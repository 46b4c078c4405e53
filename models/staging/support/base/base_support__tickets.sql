-- The steps are described in macros/staging/raw_table.sql, the checks of each column in the YAML of the source.
{% set tickets = raw_table('support', 'tickets') %}

with {{ raw_rows(tickets) }},

{{ trimmed_rows(tickets) }},

{{ typed_rows(tickets) }},

{{ validated_rows(tickets) }},

{{ duplicate_keys(tickets) }},

{{ flagged_rows(tickets) }},

{{ clean_rows(tickets) }}

select {{ base_columns(tickets) }} from clean_rows
union all
select {{ base_columns(tickets) }} from flagged_rows
