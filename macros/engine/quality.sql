{% macro approximate_distinct(expression) %}
    {{ return(adapter.dispatch('approximate_distinct', 'mailroom')(expression)) }}
{% endmacro %}

{% macro default__approximate_distinct(expression) %}{{ no_engine('approximate_distinct') }}{% endmacro %}

{% macro duckdb__approximate_distinct(expression) -%}
    approx_count_distinct({{ expression }})
{%- endmacro %}

{% macro spark__approximate_distinct(expression) -%}
    approx_count_distinct({{ expression }})
{%- endmacro %}

{% macro snowflake__approximate_distinct(expression) -%}
    approx_count_distinct({{ expression }})
{%- endmacro %}

{% macro bigquery__approximate_distinct(expression) -%}
    approx_count_distinct({{ expression }})
{%- endmacro %}
