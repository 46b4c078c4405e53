{# is_unique: no two rows tie on the order, so the engine need not compare values. #}
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

{# Spark returns a null value at the largest order. The case skips it, as DuckDB does. #}
{% macro spark__value_at_max(value, order, is_unique) -%}
    {%- if is_unique -%}
    max_by({{ value }}, case when {{ value }} is not null then {{ order }} end)
    {%- else -%}
    max_by({{ value }}, case when {{ value }} is not null and {{ order }} is not null then struct({{ order }}, {{ value }}) end)
    {%- endif -%}
{%- endmacro %}

{% macro snowflake__value_at_max(value, order, is_unique) -%}
    {%- if is_unique -%}
    max_by({{ value }}, case when {{ value }} is not null then {{ order }} end)
    {%- else -%}
    {{ snowflake_first_text(value, order, 'order by ' ~ order ~ ' desc, ' ~ value ~ ' desc') }}
    {%- endif -%}
{%- endmacro %}

{% macro bigquery__value_at_max(value, order, is_unique) -%}
    array_agg(case when {{ order }} is not null then {{ value }} end ignore nulls order by {{ order }} desc, {{ value }} desc limit 1)[safe_offset(0)]
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

{% macro snowflake__value_at_min(value, order, is_unique) -%}
    {%- if is_unique -%}
    min_by({{ value }}, case when {{ value }} is not null then {{ order }} end)
    {%- else -%}
    {{ snowflake_first_text(value, order, 'order by ' ~ order ~ ' asc, ' ~ value ~ ' asc') }}
    {%- endif -%}
{%- endmacro %}

{% macro bigquery__value_at_min(value, order, is_unique) -%}
    array_agg(case when {{ order }} is not null then {{ value }} end ignore nulls order by {{ order }} asc, {{ value }} asc limit 1)[safe_offset(0)]
{%- endmacro %}


{# Snowflake's max_by and min_by take any of the tied rows, and its arrays lose the type of their elements: ties need text. #}
{% macro snowflake_first_text(value, order, ordering) -%}
    cast(get(array_agg(case when {{ order }} is not null then {{ value }} end) within group ({{ ordering }}), 0) as string)
{%- endmacro %}


{% macro median(expression) %}{{ return(adapter.dispatch('median', 'mailroom')(expression)) }}{% endmacro %}

{% macro default__median(expression) -%}
    median({{ expression }})
{%- endmacro %}

{# BigQuery has no exact aggregate median. With an even number of values, this takes one of the two middle ones. #}
{% macro bigquery__median(expression) -%}
    approx_quantiles({{ expression }}, 2)[safe_offset(1)]
{%- endmacro %}
