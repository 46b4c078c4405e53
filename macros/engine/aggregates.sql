{% macro value_at_max(value, order) %}{{ return(adapter.dispatch('value_at_max', 'mailroom')(value, order)) }}{% endmacro %}

{% macro default__value_at_max(value, order) %}{{ no_engine('value_at_max') }}{% endmacro %}

{% macro duckdb__value_at_max(value, order) -%}
    arg_max({{ value }}, {{ order }})
{%- endmacro %}

{# Spark keeps a null value where it stands at the largest order; the case makes it fall back as DuckDB does. #}
{% macro spark__value_at_max(value, order) -%}
    max_by({{ value }}, case when {{ value }} is not null then {{ order }} end)
{%- endmacro %}


{% macro value_at_min(value, order) %}{{ return(adapter.dispatch('value_at_min', 'mailroom')(value, order)) }}{% endmacro %}

{% macro default__value_at_min(value, order) %}{{ no_engine('value_at_min') }}{% endmacro %}

{% macro duckdb__value_at_min(value, order) -%}
    arg_min({{ value }}, {{ order }})
{%- endmacro %}

{% macro spark__value_at_min(value, order) -%}
    min_by({{ value }}, case when {{ value }} is not null then {{ order }} end)
{%- endmacro %}
