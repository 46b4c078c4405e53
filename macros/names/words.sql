{#
Whether one Latin word may be the other with a typing error: a letter too many, missing or wrong (two in a long word), or
letters in the wrong order. one_letters and other_letters are the words' letters, sorted.
#}
{% macro is_typo_of(one, other, one_letters, other_letters) -%}
    (
        {{ one_letters }} = {{ other_letters }}
        or {{ edit_distance(one, other) }} <= {{ slips_allowed(one, other) }}
    )
{%- endmacro %}


{# Whether two words have nearly the same letters in any order: a scrambled word. Weak evidence on its own. #}
{% macro is_scrambled(one_letters, other_letters) -%}
    ({{ edit_distance(one_letters, other_letters) }} <= {{ slips_allowed(one_letters, other_letters) }})
{%- endmacro %}


{% macro slips_allowed(one, other) -%}
    case
        when greatest(length({{ one }}), length({{ other }})) <= 3 then 0
        when greatest(length({{ one }}), length({{ other }})) <= 6 then 1
        else 2
    end
{%- endmacro %}


{# Whether words differ only in an ending that turns a man's name into a woman's, or the reverse: Katinka, Katinko. #}
{% macro differs_in_ending(one, other) -%}
    (
        {{ one }} <> {{ other }}
        and {{ replace_pattern(one, "(a|e|o|us|os)$") | trim }} = {{ replace_pattern(other, "(a|e|o|us|os)$") | trim }}
    )
{%- endmacro %}


{#
Whether two columns are equal, or equal except for a typing error. If they are not both in Latin letters, only equal values
match.
#}
{% macro is_one_word(one, other) -%}
    coalesce(
        {{ one }} = {{ other }}
        or (
            {{ is_latin(one) }} and {{ is_latin(other) }}
            and {{ is_typo_of(one, other, sorted_letters(one) | trim, sorted_letters(other) | trim) | trim }}
        ),
        false
    )
{%- endmacro %}

{% macro is_latin(word) -%}{{ matches_pattern(word, '^[a-z]+$') | trim }}{%- endmacro %}

{% macro is_initial(word) -%}{{ matches_pattern(word, '^[a-z]$') | trim }}{%- endmacro %}

{# Whether a word, or a name that it is short for, begins with an initial. By sound, C. is K., and Philipp begins with F. #}
{% macro begins_with(word, initial, names) -%}
    {%- set firsts = ["substr(" ~ word ~ ", 1, 1)"] -%}
    {%- for column in full_names() -%}{%- do firsts.append("substr(" ~ names ~ "." ~ column ~ ", 1, 1)") -%}{%- endfor -%}
    (
        {{ initial }} in ({{ firsts | join(', ') }})
        or ({{ initial }} = 'k' and {{ firsts[0] }} = 'c')
        or ({{ initial }} = 'p' and {{ firsts[0] }} = 'f')
    )
{%- endmacro %}


{# Whether given name and family name are swapped between two names. one, other: aliases of person_names. #}
{% macro are_swapped(one, other) -%}
    (
        {{ one }}.given_1 <> {{ other }}.given_1
        and {{ is_one_word(one ~ '.given_1', other ~ '.family_whole') }}
        and {{ is_one_word(other ~ '.given_1', one ~ '.family_whole') }}
    )
{%- endmacro %}
