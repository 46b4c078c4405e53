{#
A number as people and spreadsheets write it (1.234,50 €, (12,90), CHF 1'234.-), in a form that engines read. Null if it is not
a number, or if a comma or a point may be either mark. mark is what the column's other texts show: '.', ',' or 'mixed'. If they
show nothing it is 'money' or '': 1,234 alone is then a thousand for money, and null otherwise.
#}
{% macro number_as_typed(expression, mark='') -%}
    {%- set currency = "(?:[A-Z]{3}|(?:US|CA|C|A|AU|NZ|HK|S|R|MX)?\\x{24}|[€£¥₹₽₺₩₫₴₪฿₦]|[Rr]s[.]?|[Kk]r[.]?|S?[Ff]r[.]?|zł|Kč|Ft|TL|лв[.]?|руб[.]?)" -%}
    {%- set spaces = "[\\x{20}\\x{A0}\\x{2009}\\x{202F}\\x27’]" -%}
    {%- set minus = replace_pattern(expression, "[−–—]", "-") | trim -%}
    {%- set whole = replace_pattern(minus, "[.,]-{1,2}([^0-9]*)$", "\\1") | trim -%}
    {%- set body = extract_pattern(
        whole,
        "^[(]?(?:[+-]" ~ spaces ~ "?" ~ currency ~ "?|" ~ currency ~ "?" ~ spaces ~ "?[+-]?)" ~ spaces ~ "?([0-9][0-9.,\\x{20}\\x{A0}\\x{2009}\\x{202F}\\x27’]*[0-9]|[0-9]|[.,][0-9]+)"
        ~ spaces ~ "?-?" ~ spaces ~ "?" ~ currency ~ "?-?[)]?$"
    ) | trim -%}
    {%- set grouped = replace_pattern(body, spaces, "_") | trim -%}
    {%- set is_negative = "(" ~ whole ~ " like '(%)' or " ~ whole ~ " like '%-%')" -%}
    {%- set point = extract_pattern(grouped, "^((?:[0-9]{1,18}|[0-9]{1,3}(?:,[0-9]{3})+|[0-9]{1,3}(?:_[0-9]{3})+)?[.][0-9]{1,18})$") | trim -%}
    {%- set comma = extract_pattern(grouped, "^((?:[0-9]{1,18}|[0-9]{1,3}(?:[.][0-9]{3})+|[0-9]{1,3}(?:_[0-9]{3})+)?,[0-9]{1,18})$") | trim -%}
    {%- set is_either = matches_pattern(grouped, "^[1-9][0-9]{0,2}[.,][0-9]{3}$") | trim -%}
    case when {{ is_negative }} then '-' else '' end || case
        when {{ is_either }} then {{ {
            '.': "replace(" ~ grouped ~ ", ',', '')",
            ',': "replace(replace(" ~ grouped ~ ", '.', ''), ',', '.')",
            'money': "case when " ~ grouped ~ " like '%,%' then replace(" ~ grouped ~ ", ',', '') end",
            '': "case when " ~ grouped ~ " like '%.%' then " ~ grouped ~ " end",
        }.get(mark, 'null') }}
        when {{ matches_pattern(grouped, "^[0-9]{1,18}$") | trim }} then {{ grouped }}
        when {{ matches_pattern(grouped, "^[1-9][0-9]{0,2}(?:(?:,[0-9]{3})+|(?:[.][0-9]{3}){2,}|(?:_[0-9]{3})+)$") | trim }}
            then {{ replace_pattern(grouped, "[^0-9]") | trim }}
        when {{ point }} is not null then {{ replace_pattern(grouped, "[,_]") | trim }}
        when {{ comma }} is not null then replace({{ replace_pattern(grouped, "[._]") | trim }}, ',', '.')
    end
{%- endmacro %}


{#
Which decimal marks the texts of a column show, each as an aggregate: {comma, point}, 1 if a text can only be read that way.
#}
{% macro marks_shown(expression) %}
    {%- set text = "trim(" ~ expression ~ ")" -%}
    {{ return({
        'comma': "max(case when " ~ matches_pattern(text, "^[^0-9]*(?:0|[0-9.\\x27]*[0-9]{4,})?,[0-9]+[^0-9]*$|,[0-9]{1,2}[^0-9,.]*$|,[0-9]{4,}[^0-9,.]*$|[.][0-9]{3}[.][0-9]{3}|[.][0-9]{3},") | trim ~ " then 1 else 0 end)",
        'point': "max(case when " ~ matches_pattern(text, "^[^0-9]*(?:0|[0-9,\\x27]*[0-9]{4,})?[.][0-9]+[^0-9]*$|[.][0-9]{1,2}[^0-9,.]*$|[.][0-9]{4,}[^0-9,.]*$|,[0-9]{3},[0-9]{3}|,[0-9]{3}[.]") | trim ~ " then 1 else 0 end)",
    }) }}
{% endmacro %}
