-- The entries of field_dictionary's own columns say what must be filled and valid in the entry of every field.
with dictionary as (
    select * from {{ ref('field_dictionary') }}
),

incomplete_entries as (
    {% for entry in field_entries('field_dictionary') if entry.min_fill_share == 1 -%}
    select
        model_name,
        column_name,
        '{{ entry.column_name }} is missing or not valid' as problem
    from dictionary
    where not coalesce({{ is_valid_value(entry) }}, false)
    union all
    {% endfor -%}
    select
        model_name,
        column_name,
        'format is none of macro field_formats()' as problem
    from dictionary
    where
        format not in (
            '{{ field_formats() | join("', '") }}'
        )
    union all
    select
        model_name,
        column_name,
        'dated_by and max_staleness_days go together' as problem
    from dictionary
    where (dated_by is null) <> (max_staleness_days is null)
),

entries_without_date as (
    select
        of_field.model_name,
        of_field.column_name,
        'dated_by is no public field' as problem
    from dictionary as of_field
    left join dictionary as of_date
        on
            of_date.model_name || '.' || of_date.column_name
            = case when of_field.dated_by like '%.%' then '' else of_field.model_name || '.' end || of_field.dated_by
    where of_field.dated_by is not null and of_date.column_name is null
)

select * from incomplete_entries
union all
select * from entries_without_date
