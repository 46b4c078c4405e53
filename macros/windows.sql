{# Sums of a value over the last days, `<name>_<days>d` each. Needs column days_ago. value: what is summed, if not column `name`. #}
{% macro window_sums(name, windows, value=none) -%}
    {%- for days in windows -%}
    sum(case when days_ago <= {{ days }} then {{ value or name }} else 0 end) as {{ name }}_{{ days }}d{{ ',\n        ' if not loop.last }}
    {%- endfor -%}
{%- endmacro %}


{# The weight of what a customer did on a day. It halves every interest_half_life_days. #}
{% macro interest_weight(day) -%}
    cast(
        power(0.5, cast({{ date_diff(day, as_of_day(), 'day') }} as {{ double_type() }}) / {{ var('interest_half_life_days') }})
        as decimal(18, 6)
    )
{%- endmacro %}
