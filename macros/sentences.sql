{# The day of a timestamp or date as text, for sentences. #}
{% macro day_text(timestamp) -%}
    cast(cast({{ timestamp }} as date) as {{ dbt.type_string() }})
{%- endmacro %}
