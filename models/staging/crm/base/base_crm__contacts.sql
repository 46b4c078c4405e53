-- The steps are described in macros/staging/raw_table.sql, the checks of each column in the YAML of the source.
{% set contacts = raw_table('crm', 'contacts') %}

with {{ raw_rows(contacts) }},

{{ trimmed_rows(contacts) }},

{{ typed_rows(contacts) }},

{{ validated_rows(contacts) }},

{{ duplicate_keys(contacts) }},

{{ flagged_rows(contacts) }},

{{ clean_rows(contacts) }}

select {{ base_columns(contacts) }} from clean_rows
union all
select {{ base_columns(contacts) }} from flagged_rows
