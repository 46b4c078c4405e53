{#
The steps of a base model, from the rows of one contract table to the same rows cast and validated. Each step is a macro that
writes the CTE of its name:
- raw_rows: the rows as they come
- trimmed_rows: text without space around it, words for nothing as null, ids as their own system has them
- typed_rows: each value cast to the contract's type, or null if it is no such value
- validated_rows: with reject_reason and the other columns below
- duplicate_keys: the keys that occur more than once
- flagged_rows: the rows of these keys, of which all but the newest are rejected, and those with anything else to note
- clean_rows: all other rows, straight from typed_rows. Most rows are clean, so only few pay for the steps in between.

A base model has the contract's columns and
- reject_reason: why the row is set aside. Null for a row that is kept
- blanked_columns: optional columns whose value did not parse or is not accepted, and so became null
- refused_values: the values that were the reason, as column=value
- unmapped_words: words that seed source_words does not have, as column=word.
No row is dropped: staging takes the rows without a reason, rejected_rows lists the others, source_reconciliation counts both.

The two tables of events are too big to be validated in each build. An incremental model keeps their flagged rows, and ends with
replaced_rows, those of the newest days. The base model is a view of it and of clean_rows.
#}

{#
A contract table for the steps: {source_name, table_name, key, key_value, columns, has_marks, rows, flagged_rows, never_late,
days}.
columns: the contract's, see raw_columns. key_value: the key in a raw row, as SQL. rows: the raw rows to read.
flagged_rows: the model that keeps them, if there is one. days: the days that it replaces in this build.
never_late: values by column. Rows with one of them are read and replaced in each build, however old they are. They stay if a
mark says that they are gone (macros/staging/marks.sql), because no mark takes an opt-out back. They are never copies of other rows:
late news of an event would then depend on rows that are no longer read.
#}
{% macro raw_table(source_name, table_name, flagged_rows=none, never_late=none, days=none) %}
    {%- set place = raw_place(source_name, table_name) -%}
    {%- set table = {
        'source_name': source_name, 'table_name': table_name, 'key': '', 'key_value': '', 'columns': [], 'has_marks': false,
        'rows': raw(source_name, table_name), 'flagged_rows': flagged_rows, 'never_late': none, 'days': none
    } -%}
    {%- if execute -%}
        {%- set key = contract_key(source_name, table_name) -%}
        {%- do table.update({
            'key': key,
            'key_value': raw_value(source_name, table_name, key),
            'columns': raw_columns(source_name, table_name),
            'has_marks': marks_found(source_name, table_name, place) | length > 0,
            'never_late': never_late,
            'days': days
        }) -%}
        {%- do table.update({'rows': newest_rows(table)}) if days -%}
    {%- endif -%}
    {{ return(table) }}
{% endmacro %}


{#
The columns of a contract table as they are found, each {source_name, table_name, name, data_type, meta, found}. found: the type
in the raw table, or absent if the column is missing or empty.
#}
{% macro raw_columns(source_name, table_name) %}
    {%- set place = raw_place(source_name, table_name) -%}
    {%- set columns = [] -%}
    {%- for column in contract_columns(source_name, table_name) -%}
        {%- do columns.append(dict(column, source_name=source_name, table_name=table_name, found=type_found(place, column.name))) -%}
    {%- endfor -%}
    {{ return(columns) }}
{% endmacro %}


{# The type of a raw column, or absent. #}
{% macro type_found(place, name) %}
    {{ return(place.types.get(name, 'absent')) }}
{% endmacro %}


{#
has_odd_id: whether trimmed_rows has to look at the ids. It does not for clean_rows of events: to trim fifty million different
ids takes longer than to read everything, and flagged_rows has the odd ones.
#}
{% macro raw_rows(table) -%}
{%- set odd_ids = [] -%}
{%- for column in table.columns if is_text_id(column) -%}{%- do odd_ids.append(is_odd_id(column.name) | trim) -%}{%- endfor -%}
raw_rows as (
    select
        *
        {%- if not table.flagged_rows %},
        {{ 'coalesce(' ~ odd_ids | join(' or ') ~ ', false)' if odd_ids else 'false' }} as has_odd_id
        {%- endif %}
    from {{ table.rows }} as source_rows
)
{%- endmacro %}


{# The columns of a base model. #}
{% macro base_columns(table) -%}
    {{ table.columns | map(attribute='name') | join(', ') }}{{ ', ' if table.columns }}reject_reason, blanked_columns, refused_values, unmapped_words
{%- endmacro %}


{# The columns that a step hands to the next one beside the contract's. #}
{% macro step_columns(table) %}
    {{ return([] if table.flagged_rows else ['has_odd_id'] + (['gone_because', 'ends_key'] if table.has_marks else [])) }}
{% endmacro %}


{# A column of the raw rows as the base model has it, in one expression. #}
{% macro raw_value(source_name, table_name, name) %}
    {%- set column = raw_columns(source_name, table_name) | selectattr('name', 'equalto', name) | first -%}
    {%- set trimmed = trimmed_value(column) | trim -%}
    {%- if has_words_of_its_own(column) -%}{{ return(known_word(trimmed, column_words(source_name, table_name, column)) | trim) }}
    {%- elif can_fail(column) -%}{{ return(cast_value(column, trimmed) | trim) }}
    {%- elif column.found == 'absent' or column.data_type == 'text' -%}{{ return(trimmed) }}
    {%- endif -%}
    {{ return(plain_cast(column, trimmed) | trim) }}
{% endmacro %}
