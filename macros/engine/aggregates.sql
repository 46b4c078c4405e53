{# is_unique: no two rows tie on the order, so that the engine is spared comparing the values. #}
{% macro value_at_max(value, order, is_unique=false) %}
    {{ return(adapter.dispatch('value_at_max', 'mailroom')(value, order, is_unique)) }}
{% endmacro %}

{% macro default__value_at_max(value, order, is_unique) %}{{ no_engine('value_at_max') }}{% endmacro %}

{% macro duckdb__value_at_max(value, order, is_unique) -%}
    {%- if is_unique -%}
    arg_max({{ value }}, {{ order }})
    {%- else -%}
    arg_max({{ value }}, case when {{ order }} is not null then row({{ order }}, {{ value }}) end)
    {%- endif -%}
{%- endmacro %}

{# Spark keeps a null value where it stands at the largest order; the case passes over it as DuckDB does. #}
{% macro spark__value_at_max(value, order, is_unique) -%}
    {%- if is_unique -%}
    max_by({{ value }}, case when {{ value }} is not null then {{ order }} end)
    {%- else -%}
    max_by({{ value }}, case when {{ value }} is not null and {{ order }} is not null then struct({{ order }}, {{ value }}) end)
    {%- endif -%}
{%- endmacro %}


{% macro value_at_min(value, order, is_unique=false) %}
    {{ return(adapter.dispatch('value_at_min', 'mailroom')(value, order, is_unique)) }}
{% endmacro %}

{% macro default__value_at_min(value, order, is_unique) %}{{ no_engine('value_at_min') }}{% endmacro %}

{% macro duckdb__value_at_min(value, order, is_unique) -%}
    {%- if is_unique -%}
    arg_min({{ value }}, {{ order }})
    {%- else -%}
    arg_min({{ value }}, case when {{ order }} is not null then row({{ order }}, {{ value }}) end)
    {%- endif -%}
{%- endmacro %}

{% macro spark__value_at_min(value, order, is_unique) -%}
    {%- if is_unique -%}
    min_by({{ value }}, case when {{ value }} is not null then {{ order }} end)
    {%- else -%}
    min_by({{ value }}, case when {{ value }} is not null and {{ order }} is not null then struct({{ order }}, {{ value }}) end)
    {%- endif -%}
{%- endmacro %}
