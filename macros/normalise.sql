{#
An e-mail address as it is written to: lower case, without surrounding space, brackets or mailto:.
Null where it is not one address with a domain.
#}
{% macro normalise_email(expression) -%}
    {%- set stripped = replace_pattern("lower(trim(" ~ expression ~ "))", "^(mailto:)?[<( ]*|[>) .,;]*$") | trim -%}
    case when {{ matches_pattern(stripped, "^[^@ ,;<>()]+@[^@ ,;<>()]+[.][^@ ,;<>().0-9]{2,}$") | trim }} then {{ stripped }} end
{%- endmacro %}
