{# The day of a timestamp or date as text, for sentences. #}
{% macro day_text(timestamp) -%}
    cast(cast({{ timestamp }} as date) as {{ dbt.type_string() }})
{%- endmacro %}


{# A number and what it counts, as a text: 1 order, 2 orders. #}
{% macro counted(n, thing, things=none) -%}
    cast({{ n }} as {{ dbt.type_string() }}) || case when {{ n }} = 1 then ' {{ thing }}' else ' {{ things or thing ~ 's' }}' end
{%- endmacro %}
