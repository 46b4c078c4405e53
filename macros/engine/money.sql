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


{# An amount in another currency at a rate, in whole cents. #}
{% macro at_rate(amount, rate) -%}
    cast(round(cast({{ amount }} as decimal(18, 2)) * {{ rate }}, 2) as decimal(18, 2))
{%- endmacro %}
