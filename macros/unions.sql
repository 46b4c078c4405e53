{#
The rows of several CTEs under one another, with the columns of `columns` in that order. parts: for each CTE, the columns that
it lacks. They are null there, of the type in `types`, or text.
#}
{% macro union_by_name(parts, columns, types={}) -%}
    {%- for part, lacking in parts.items() -%}
    select
        {%- for column in columns %}
        {{ 'cast(null as ' ~ sql_type(types.get(column, 'string')) ~ ') as ' if column in lacking }}{{ column }}{{ ',' if not loop.last }}
        {%- endfor %}
    from {{ part }}
    {{- '\n    union all\n    ' if not loop.last }}
    {%- endfor -%}
{%- endmacro %}
