{#
Rows given by name as a relation, for `from`. columns maps names to types. No rows give one row of nulls, to be filtered out.
#}
{% macro literal_rows(columns, rows) %}{{ return(adapter.dispatch('literal_rows', 'mailroom')(columns, rows or [{}])) }}{% endmacro %}

{% macro default__literal_rows(columns, rows) -%}
    (
        values
        {%- for row in rows %}
        ({{ row_literals(columns, row) }}){{ ',' if not loop.last }}
        {%- endfor %}
    ) as entry_values ({{ columns | join(', ') }})
{%- endmacro %}

{# BigQuery has no values clause. #}
{% macro bigquery__literal_rows(columns, rows) -%}
    unnest(array<struct<
        {%- for name, data_type in columns.items() %}{{ name }} {{ sql_type(data_type) }}{{ ', ' if not loop.last }}{% endfor -%}
    >>[
        {%- for row in rows %}
        ({{ row_literals(columns, row) }}){{ ',' if not loop.last }}
        {%- endfor %}
    ]) as entry_values
{%- endmacro %}

{% macro row_literals(columns, row) -%}
    {%- for name in columns %}{{ entry_literal(row.get(name)) }}{{ ', ' if not loop.last }}{% endfor -%}
{%- endmacro %}
