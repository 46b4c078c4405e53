{#
A name for display: single spaces, and a capital first letter if it was all in one case. Null if it is empty or a filler such as
"n/a" (var `not_a_name`).
#}
{% macro clean_name(expression) -%}
    {%- set spaced = "trim(" ~ replace_pattern(expression, "[\\p{Z}\\p{Cc}\\x{200B}\\x{FEFF}]+", " ") | trim ~ ")" -%}
    {%- set fillers = [''] -%}
    {%- for filler in var('not_a_name') -%}{%- do fillers.append(filler | lower | replace("'", "''")) -%}{%- endfor -%}
    {#- Not "in": DuckDB turns a long list into a join, and then computes the name again on either side. -#}
    case lower({{ spaced }})
        {% for filler in fillers -%}
        when '{{ filler }}' then null
        {% endfor -%}
        else
            case
                when {{ spaced }} in (lower({{ spaced }}), upper({{ spaced }}))
                    then upper(substr({{ spaced }}, 1, 1)) || lower(substr({{ spaced }}, 2))
                else {{ spaced }}
            end
    end
{%- endmacro %}


{# The two-letter language of a language tag: de of de-AT. #}
{% macro language_code(expression) -%}
    {{ extract_pattern("lower(" ~ expression ~ ")", "^([a-z]{2})(?:[-_].*)?$") | trim }}
{%- endmacro %}
