{# A text with its letters composed (Unicode NFC), so that ü is one character however it was typed. #}
{% macro composed_text(expression) %}{{ return(adapter.dispatch('composed_text', 'mailroom')(expression)) }}{% endmacro %}

{% macro default__composed_text(expression) %}{{ no_engine('composed_text') }}{% endmacro %}

{% macro duckdb__composed_text(expression) -%}
    nfc_normalize({{ expression }})
{%- endmacro %}

{% macro spark__composed_text(expression) -%}
    {{ composed_letters(expression) }}
{%- endmacro %}

{# Snowflake has no such function either, and replace() nested this deep is too much for its SQL parser: text stays as typed. #}
{% macro snowflake__composed_text(expression) -%}
    {{ expression }}
{%- endmacro %}

{% macro bigquery__composed_text(expression) -%}
    normalize({{ expression }}, NFC)
{%- endmacro %}

{# For Spark, which has no Unicode normalisation: the lower-case Latin letters of European languages. #}
{% macro composed_letters(expression) -%}
    {%- set composed = namespace(sql=expression) -%}
    {%- for mark, plain, letters in [
        ('\u0300', 'aeioun', 'àèìòùǹ'), ('\u0301', 'aeiouyncszlr', 'áéíóúýńćśźĺŕ'), ('\u0302', 'aeioucghjswy', 'âêîôûĉĝĥĵŝŵŷ'),
        ('\u0303', 'anoiu', 'ãñõĩũ'), ('\u0304', 'aeiou', 'āēīōū'), ('\u0306', 'aegiou', 'ăĕğĭŏŭ'), ('\u0307', 'cegz', 'ċėġż'),
        ('\u0308', 'aeiouy', 'äëïöüÿ'), ('\u030a', 'au', 'åů'), ('\u030b', 'ou', 'őű'), ('\u030c', 'cdenrstz', 'čďěňřšťž'),
        ('\u0326', 'st', 'șț'), ('\u0327', 'cgklnrst', 'çģķļņŗşţ'), ('\u0328', 'aeiu', 'ąęįų')
    ] -%}
        {%- for letter in letters -%}
            {%- set composed.sql = "replace(" ~ composed.sql ~ ", '" ~ plain[loop.index0] ~ mark ~ "', '" ~ letter ~ "')" -%}
        {%- endfor -%}
    {%- endfor -%}
    {{ composed.sql }}
{%- endmacro %}
