{#
An e-mail address as it is written to: lower case, without surrounding space, brackets or mailto:.
Null where it is not one address with a domain.
#}
{% macro normalise_email(expression) -%}
    {%- set stripped = replace_pattern("lower(trim(" ~ expression ~ "))", "^(mailto:)?[<( ]*|[>) .,;]*$") | trim -%}
    case when {{ matches_pattern(stripped, "^[^@ ,;<>()]+@[^@ ,;<>()]+[.][^@ ,;<>().0-9]{2,}$") | trim }} then {{ stripped }} end
{%- endmacro %}


{#
A name as one would write it: single spaces, and a capital first letter where it was all in one case.
Null where it is a filler such as "n/a" (var `not_a_name`).
#}
{% macro clean_name(expression) -%}
    {%- set spaced = replace_pattern("trim(" ~ expression ~ ")", " +", " ") | trim -%}
    case
        when lower({{ spaced }}) in ('{{ var("not_a_name") | join("', '") }}') then null
        when {{ spaced }} in (lower({{ spaced }}), upper({{ spaced }}))
            then upper(substr({{ spaced }}, 1, 1)) || lower(substr({{ spaced }}, 2))
        else {{ spaced }}
    end
{%- endmacro %}


{# The two-letter language of a language tag: de of de-AT. #}
{% macro language_code(expression) -%}
    {{ extract_pattern("lower(" ~ expression ~ ")", "^([a-z]{2})(?:[-_].*)?$") | trim }}
{%- endmacro %}


{#
What a spelling of a category is looked up by in the seed category_spellings: its first part, in lower-case
letters and digits, without a plural s. "Sneakers", "sneaker" and "sneakers/men" all give sneaker.
#}
{% macro category_key(expression) -%}
    {%- set first_part = replace_pattern("lower(" ~ expression ~ ")", "[/>|].*$") | trim -%}
    {%- set letters = replace_pattern(first_part, "[^a-z0-9]") | trim -%}
    nullif({{ replace_pattern(letters, "s$") | trim }}, '')
{%- endmacro %}


{#
A phone number in E.164 (+ and 8 to 15 digits), or null where it can't be one.
calling_code: digits of the country's calling code; trunk_prefix: what a national number starts with (0, or empty).
Source: ITU-T E.164 (15 digits at most).
#}
{% macro normalise_phone(expression, calling_code, trunk_prefix) -%}
    {%- set dialled = replace_pattern(replace_pattern(expression, "[(]0[)]") | trim, "[^0-9+]") | trim -%}
    {%- set digits = replace_pattern(dialled, "[^0-9]") | trim -%}
    case
        when {{ matches_pattern(expression, "[a-zA-Z]{3}") | trim }} then null
        when length({{ digits }}) < 7 or {{ matches_pattern(digits, "^0*$") | trim }} then null
        when {{ dialled }} like '+%' and length({{ digits }}) between 8 and 15 then '+' || {{ digits }}
        when {{ dialled }} like '00%' and length({{ digits }}) between 10 and 17 then '+' || substr({{ digits }}, 3)
        when {{ dialled }} like '+%' or {{ dialled }} like '00%' then null
        when {{ trunk_prefix }} <> '' and {{ dialled }} like {{ trunk_prefix }} || '%'
            and length({{ calling_code }} || {{ digits }}) - length({{ trunk_prefix }}) between 8 and 15
            then '+' || {{ calling_code }} || substr({{ digits }}, 1 + length({{ trunk_prefix }}))
        when {{ trunk_prefix }} = '' and length({{ calling_code }} || {{ digits }}) between 8 and 15
            then '+' || {{ calling_code }} || {{ digits }}
    end
{%- endmacro %}
