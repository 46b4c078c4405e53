{#
Whether a hash of a text falls into a share of 0 to 1: the first 8 hexadecimal digits of its md5, over 2^32. Digits compare as text,
so it is the same on every engine. An assignment never changes with a rebuild, and a share that grows keeps who was in.
#}
{% macro is_in_share(text, share) -%}
    (substr({{ dbt.hash(text) }}, 1, 8) < '{{ share_digits(share) }}')
{%- endmacro %}


{#
The first 8 hexadecimal digits at which a share of all hashes ends, or g if it is all of them. Made digit by digit, because dbt 2.0 does
not format numbers in this base.
#}
{% macro share_digits(share) %}
    {%- set left = namespace(number=(share * 4294967296) | int, digits='') -%}
    {%- for place in range(8) -%}
        {%- set left.digits = '0123456789abcdef'[left.number % 16] ~ left.digits -%}
        {%- set left.number = left.number // 16 -%}
    {%- endfor -%}
    {{ return('g' if share >= 1 else left.digits) }}
{% endmacro %}
