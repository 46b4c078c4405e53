{# The day of a timestamp or date as text, for sentences. #}
{% macro day_text(timestamp) -%}
    cast(cast({{ timestamp }} as date) as {{ dbt.type_string() }})
{%- endmacro %}


{# A number and what it counts, as a text: 1 order, 2 orders. #}
{% macro counted(n, thing, things=none) -%}
    cast({{ n }} as {{ dbt.type_string() }}) || case when {{ n }} = 1 then ' {{ thing }}' else ' {{ things or thing ~ 's' }}' end
{%- endmacro %}


{# An hour of the day as a text: 08:00. #}
{% macro hour_text(hour) -%}
    case when {{ hour }} < 10 then '0' else '' end || cast({{ hour }} as {{ dbt.type_string() }}) || ':00'
{%- endmacro %}


{# A share as a text in percent and tenths, to set beside a limit that it may be close to. #}
{% macro tenths_text(share) -%}
    cast(cast(floor(1000 * {{ share }} + 0.5) / 10 as decimal(18, 1)) as {{ dbt.type_string() }}) || ' %'
{%- endmacro %}


{# A number as a text with two decimals, a half up: engines round doubles differently. #}
{% macro hundredths_text(number) -%}
    cast(cast(floor(100 * {{ number }} + 0.5) / 100 as decimal(18, 2)) as {{ dbt.type_string() }})
{%- endmacro %}


{# An amount of the shop's currency as a text. #}
{% macro money_text(amount) -%}
    {{ hundredths_text(amount) }} || ' {{ var('currency') }}'
{%- endmacro %}
