{% set profiles = raw_table('esp', 'profiles') %}

with {{ raw_rows(profiles) }},

{{ trimmed_rows(profiles) }},

{{ typed_rows(profiles) }},

{{ validated_rows(profiles) }},

{{ duplicate_keys(profiles) }},

{{ flagged_rows(profiles) }},

{{ clean_rows(profiles) }}

select {{ base_columns(profiles) }} from clean_rows
union all
select {{ base_columns(profiles) }} from flagged_rows
