{#
What the ESP holds after it accepts these columns of JSON, as a text to compare: ;field=hash; for each filled field,
customer_id first. Hashes keep names out of the receipts.
#}
{% macro held_text(fields) -%}
    {%- set pieces = [] -%}
    {%- for field in fields -%}
        {%- do pieces.append("'" ~ field.column_name ~ "=' || " ~ value_hash(field.column_name) ~ " || ';'") -%}
    {%- endfor -%}
    {{ held_object('customer_id', pieces) }}
{%- endmacro %}


{# The same for expressions that return 'field=hash;' or null. #}
{% macro held_object(customer_id, pieces) -%}
    ';' || {{ joined('', ["'customer_id=' || " ~ value_hash(customer_id) ~ " || ';'"] + pieces) }}
{%- endmacro %}


{% macro value_hash(expression) -%}
    substr({{ dbt.hash(expression) }}, 1, 16)
{%- endmacro %}


{# The hash of a field in a text of held_text(), or null. #}
{% macro held_hash(held, field) -%}
    case
        when {{ dbt.position("';" ~ field ~ "='", held) }} > 0
            then substr({{ held }}, {{ dbt.position("';" ~ field ~ "='", held) }} + {{ field | length + 2 }}, 16)
    end
{%- endmacro %}
