{#
An amount shared among n, in whole cents, a half cent up. Written with floor(), because a cast from double to decimal
rounds 59.255 up on one engine and down on another. Null where n is 0.
#}
{% macro average_money(amount, n) -%}
    cast(floor((2 * cast(100 * {{ amount }} as {{ dbt.type_float() }}) + {{ n }}) / nullif(2 * {{ n }}, 0)) / 100 as decimal(18, 2))
{%- endmacro %}


{# The part of an amount that a part is of a whole, in whole cents, a half cent up. 0 where the whole is. #}
{% macro money_share(amount, part, whole) -%}
    {%- set cents = [] -%}
    {%- for number in [amount, part, whole] -%}{%- do cents.append('cast(100 * (' ~ number ~ ') as ' ~ dbt.type_float() ~ ')') -%}{%- endfor -%}
    cast(coalesce(floor((2 * {{ cents[0] }} * {{ cents[1] }} + {{ cents[2] }}) / nullif(2 * {{ cents[2] }}, 0)) / 100, 0) as decimal(18, 2))
{%- endmacro %}


{#
What so many units cost at a price each, in whole cents; null where it is 10^16 or more. DuckDB gives a product of two decimals
no more than 18 digits unless one of them is wider, and fails beyond; 19 and 18 digits are what every engine can multiply
without losing any.
#}
{% macro at_price(quantity, price) -%}
    {{ cast_or_null('round(cast(' ~ quantity ~ ' as ' ~ wide_decimal(19, 4) | trim ~ ') * ' ~ price ~ ', 2)', 'decimal(18, 2)') | trim }}
{%- endmacro %}


{# An amount in another currency at a rate, in whole cents. #}
{% macro at_rate(amount, rate) -%}
    cast(round(cast({{ amount }} as {{ wide_decimal(19, 2) | trim }}) * {{ rate }}, 2) as decimal(18, 2))
{%- endmacro %}
