{#
A customer_id, from the key of the customer's oldest record. It is minted in models/identity and nowhere else.
#}
{% macro mint_customer_id(record_key) -%}
    'c_' || substr(md5({{ record_key }}), 1, 16)
{%- endmacro %}


{#
A first name as it is compared: its first word in plain letters, so that Käthe, Kaethe and Kathe are one. Null for
initials and empty names, which tell nothing.
#}
{% macro name_key(expression) -%}
    {%- set first_word = replace_pattern("lower(trim(" ~ expression ~ "))", "[ -].*$") | trim -%}
    {%- set plain = "translate(" ~ first_word ~ ", 'áàâãåäéèêëíìîïóòôõöøúùûüýçñş', 'aaaaaaeeeeiiiioooooouuuuycns')" -%}
    {%- set folded = "replace(replace(replace(replace(" ~ plain ~ ", 'ß', 'ss'), 'ae', 'a'), 'oe', 'o'), 'ue', 'u')" -%}
    {%- set letters = replace_pattern(folded, "[^a-z]") | trim -%}
    case when length({{ letters }}) >= 3 then {{ letters }} end
{%- endmacro %}
