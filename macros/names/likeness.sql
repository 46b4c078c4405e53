{#
How two birth dates compare: same, near (one digit differs, or day and month are swapped), other, contradictory (another
generation), or unknown.
#}
{% macro birth_dates_compared(one, other) -%}
    {%- set years_of_a_generation = 12 -%}
    {%- set one_text, other_text = 'cast(' ~ one ~ ' as ' ~ dbt.type_string() ~ ')', 'cast(' ~ other ~ ' as ' ~ dbt.type_string() ~ ')' -%}
    case
        when {{ one }} is null or {{ other }} is null then 'unknown'
        when {{ one }} = {{ other }} then 'same'
        when
            {{ edit_distance(one_text, other_text) }} = 1
            or (
                substr({{ one_text }}, 1, 4) = substr({{ other_text }}, 1, 4)
                and substr({{ one_text }}, 6, 2) = substr({{ other_text }}, 9, 2)
                and substr({{ one_text }}, 9, 2) = substr({{ other_text }}, 6, 2)
            )
            then 'near'
        when
            abs(cast(substr({{ one_text }}, 1, 4) as integer) - cast(substr({{ other_text }}, 1, 4) as integer)) >= {{ years_of_a_generation }}
            and substr({{ one_text }}, 6) <> substr({{ other_text }}, 6)
            then 'contradictory'
        else 'other'
    end
{%- endmacro %}


{# A street for comparison: letters and digits, without the word street in any short form. #}
{% macro street_key(expression) -%}
    {%- set words = replace_pattern("lower(" ~ expression ~ ")", "str(?:a(?:ss|ß)e|eet|[. ]|$)") | trim -%}
    nullif({{ replace_pattern(words, "[^\\p{L}\\p{M}\\p{N}]+") | trim }}, '')
{%- endmacro %}

{% macro postal_code_key(expression) -%}
    nullif(upper({{ replace_pattern(expression, "[^0-9A-Za-z]+") | trim }}), '')
{%- endmacro %}


{# Why two records are two people, whatever they share, or null. Arguments are results of given_names_compared() and birth_dates_compared(). #}
{% macro two_people_because(given_names, birth_dates) -%}
    case
        when {{ given_names }} = 'different' then 'their given names differ'
        when {{ given_names }} = 'alike' and {{ birth_dates }} <> 'same' then 'their given names differ in the ending'
        when {{ given_names }} = 'resembling' and {{ birth_dates }} <> 'same' then 'their given names differ'
        when {{ birth_dates }} = 'contradictory' then 'their birth dates are a generation apart'
    end
{%- endmacro %}


{#
The verdict of compared_records on two records with one address that names and birth dates do not separate. Most addresses
belong to one person, so records join unless something contradicts it.
#}
{% macro likeness_at_an_address() -%}
    case
        when given_names in ('same', 'typo', 'alike') then 'same'
        when given_names = 'scrambled' and family_names = 'same' then 'same'
        when given_names = 'scrambled' and family_names = 'unknown' and birth_dates in ('same', 'near') then 'same'
        when given_names = 'scrambled' then 'apart'
        when birth_dates = 'same' and family_names <> 'different' then 'same'
        when family_names = 'different' or birth_dates = 'other' then 'apart'
        else 'fits'
    end
{%- endmacro %}


{# The same for a phone number. Households share phones, so names must show that it is one person. #}
{% macro likeness_on_a_number() -%}
    case
        when given_names in ('unknown', 'initial') and family_names <> 'same' then 'apart'
        when given_names = 'unknown' and birth_dates <> 'same' then 'apart'
        when birth_dates = 'other' then 'apart'
        when family_names = 'same' and (given_names in ('same', 'typo', 'initial') or birth_dates = 'same') then 'same'
        when given_names = 'same' and family_names = 'unknown' then 'same'
        when given_names in ('same', 'typo') and (birth_dates in ('same', 'near') or has_same_place) then 'same'
        else 'apart'
    end
{%- endmacro %}
