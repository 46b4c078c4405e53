{#
A customer_id, from the key of the customer's oldest record. It is minted in models/identity and nowhere else.
#}
{% macro mint_customer_id(record_key) -%}
    'c_' || substr(md5({{ record_key }}), 1, 16)
{%- endmacro %}


{#
The part of a first name that tells two people behind one mailbox or phone apart: its first three letters without
accents, so that "Katharina" and "Kathi" are one person. Null for initials and empty names, which tell nothing.
#}
{% macro name_key(expression) -%}
    {%- set plain = "translate(lower(" ~ expression ~ "), 'áàâãåéèêëíìîïóòôõúùûçñÁ', 'aaaaaeeeeiiiioooouuucna')" -%}
    {%- set spelt = "replace(replace(replace(" ~ plain ~ ", 'ä', 'ae'), 'ö', 'oe'), 'ü', 'ue')" -%}
    {%- set letters = replace_pattern(spelt, "[^a-z]") | trim -%}
    case when length({{ letters }}) >= 3 then substr({{ letters }}, 1, 3) end
{%- endmacro %}
