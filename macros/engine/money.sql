{#
An amount shared among n, in whole cents, a half cent up. Written with floor(), because a cast from double to decimal
rounds 59.255 up on one engine and down on another. Null where n is 0.
#}
{% macro average_money(amount, n) -%}
    cast(floor((2 * cast(100 * {{ amount }} as {{ dbt.type_float() }}) + {{ n }}) / nullif(2 * {{ n }}, 0)) / 100 as decimal(18, 2))
{%- endmacro %}
