{% macro value_at_max(value, order) %}{{ return(adapter.dispatch('value_at_max', 'mailroom')(value, order)) }}{% endmacro %}

{% macro default__value_at_max(value, order) %}{{ no_engine('value_at_max') }}{% endmacro %}

{% macro duckdb__value_at_max(value, order) -%}
    arg_max({{ value }}, case when {{ order }} is not null then row({{ order }}, {{ value }}) end)
{%- endmacro %}

{# Spark keeps a null value where it stands at the largest order; the case passes over it as DuckDB does. #}
{% macro spark__value_at_max(value, order) -%}
    max_by({{ value }}, case when {{ value }} is not null and {{ order }} is not null then struct({{ order }}, {{ value }}) end)
{%- endmacro %}


{% macro value_at_min(value, order) %}{{ return(adapter.dispatch('value_at_min', 'mailroom')(value, order)) }}{% endmacro %}

{% macro default__value_at_min(value, order) %}{{ no_engine('value_at_min') }}{% endmacro %}

{% macro duckdb__value_at_min(value, order) -%}
    arg_min({{ value }}, case when {{ order }} is not null then row({{ order }}, {{ value }}) end)
{%- endmacro %}

{% macro spark__value_at_min(value, order) -%}
    min_by({{ value }}, case when {{ value }} is not null and {{ order }} is not null then struct({{ order }}, {{ value }}) end)
{%- endmacro %}
