{# The rows with each value trimmed. #}
{% macro trimmed_rows(table) -%}
{%- set values = [] -%}
{%- for column in table.columns -%}
    {%- if is_text_id(column) -%}
        {#- raw_rows has already looked at the ids. -#}
        {%- set id = column.name if table.flagged_rows else 'case when has_odd_id then ' ~ plain_id(column.name) | trim ~ ' else ' ~ column.name ~ ' end' -%}
        {%- do values.append(id_or_null(column, id) | trim ~ ' as ' ~ column.name) -%}
    {%- else -%}
        {%- do values.append(trimmed_value(column) | trim ~ ' as ' ~ column.name) -%}
    {%- endif -%}
{%- endfor -%}
trimmed_rows as (
    select
        {{ (values + step_columns(table)) | join(',\n        ') }}
    from raw_rows
)
{%- endmacro %}


{#
A raw value, trimmed: text without space around it, or null if it is empty or stands for nothing, as a word (NULL, n/a) or a
date of the year 0, 1900, 1970 or 9999 does. An id is trimmed by plain_id(). The date of an answer (meta.is_evidence) keeps such
a year: an opt-in of 1970 has a wrong date, which is not the same as none.
#}
{% macro trimmed_value(column) -%}
    {%- set name, found = column.name, column.found -%}
    {%- if found.startswith(text_types()) -%}
        {%- set text = 'case when ' ~ has_outer_space(name) | trim ~ ' then trim(' ~ name ~ ') else ' ~ name ~ ' end' -%}
        {%- if is_text_id(column) -%}
            {{ id_or_null(column, 'case when ' ~ is_odd_id(name) | trim ~ ' then ' ~ plain_id(name) | trim ~ ' else ' ~ name ~ ' end') }}
        {%- elif column.data_type == 'text' -%}
            nullif({{ text }}, '')
        {%- elif column.data_type in ('timestamp', 'date') and not column.meta.is_evidence -%}
            case when not {{ matches_pattern(text, "^(?:0+$|000[01]-|1899-12-3|1900-01-01|1969-12-31|1970-01-01|2999-|9999|00[.]00[.]|0[12][.]01[.](?:1900|1970|0001)|31[.]12[.](?:1899|1969|9999|2999))") | trim }} then {{ text_or_null(text) }} end
        {%- else -%}
            {{ text_or_null(text) }}
        {%- endif -%}
    {%- elif column.data_type == 'text' and found != 'absent' -%}
        {%- set text = 'cast(' ~ name ~ ' as ' ~ dbt.type_string() ~ ')' -%}
        {%- if found.startswith(('double', 'float', 'real', 'decimal')) -%}{%- set text = replace_pattern(text, '[.]0+$') | trim -%}{%- endif -%}
        {{ id_or_null(column, text) if name.endswith('_id') else text }}
    {%- elif column.data_type == 'timestamp' and not column.meta.is_evidence and found.startswith(('int', 'bigint', 'long', 'hugeint', 'uint', 'ubigint', 'decimal', 'double', 'float', 'number', 'numeric')) -%}
        nullif({{ name }}, 0)
    {%- else -%}
        {{ name }}
    {%- endif -%}
{%- endmacro %}


{# The text of a number, a time or a boolean. Null if it is empty or a word for nothing. #}
{% macro text_or_null(text) -%}
    case when lower({{ text }}) in ('', 'nat', '{{ placeholders('id') | join("', '") }}') then null else {{ text }} end
{%- endmacro %}


{# Whether a text begins or ends with a space: two comparisons, because trim() would build another text. #}
{% macro has_outer_space(name) -%}
    ({{ name }} like ' %' or {{ name }} like '% ')
{%- endmacro %}
