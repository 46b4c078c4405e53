{#
An amount divided by n, in whole cents, a half cent up. Uses floor(), because a cast from double to decimal rounds 59.255 up
on one engine and down on another. Null if n is 0.
#}
{% macro average_money(amount, n) -%}
    cast(floor((2 * cast(100 * {{ amount }} as {{ double_type() }}) + {{ n }}) / nullif(2 * {{ n }}, 0)) / 100 as decimal(18, 2))
{%- endmacro %}


{# An amount times part / whole, in whole cents, a half cent up. 0 if the whole is 0. #}
{% macro money_share(amount, part, whole) -%}
    {%- set cents = [] -%}
    {%- for number in [amount, part, whole] -%}{%- do cents.append('cast(100 * (' ~ number ~ ') as ' ~ double_type() ~ ')') -%}{%- endfor -%}
    cast(coalesce(floor((2 * {{ cents[0] }} * {{ cents[1] }} + {{ cents[2] }}) / nullif(2 * {{ cents[2] }}, 0)) / 100, 0) as decimal(18, 2))
{%- endmacro %}


{#
Quantity times unit price, in whole cents. Null if it is 10^16 or more. DuckDB gives a product of two decimals at most 18 digits
unless one of them is wider, and fails beyond. Every engine can multiply 19 and 18 digits without loss.
#}
{% macro at_price(quantity, price) -%}
    {{ cast_or_null('round(cast(' ~ quantity ~ ' as ' ~ wide_decimal(19, 4) | trim ~ ') * ' ~ price ~ ', 2)', 'decimal(18, 2)') | trim }}
{%- endmacro %}


{# An amount converted at an exchange rate, in whole cents. #}
{% macro at_rate(amount, rate) -%}
    cast(round(cast({{ amount }} as {{ wide_decimal(19, 2) | trim }}) * {{ rate }}, 2) as decimal(18, 2))
{%- endmacro %}
