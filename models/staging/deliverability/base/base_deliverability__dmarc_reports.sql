-- The steps are described in macros/staging/raw_table.sql, the checks of each column in the YAML of the source.
{% set dmarc_reports = raw_table('deliverability', 'dmarc_reports') %}

with {{ raw_rows(dmarc_reports) }},

{{ trimmed_rows(dmarc_reports) }},

{{ typed_rows(dmarc_reports) }},

{{ validated_rows(dmarc_reports) }},

{{ duplicate_keys(dmarc_reports) }},

{{ flagged_rows(dmarc_reports) }},

{{ clean_rows(dmarc_reports) }}

select {{ base_columns(dmarc_reports) }} from clean_rows
union all
select {{ base_columns(dmarc_reports) }} from flagged_rows
