{#
How two given names compare: same (also short form and full name, or with and without a space), typo, scrambled (nearly the same
letters), resembling (half the letters), alike (except for an ending that makes it another name), initial (one is the initial of
the other), unknown (one is missing, or in another script), joint (one names two people) or different. Two names in the seed
given_names are never a typo of each other.
#}
{% macro given_names_compared(one, other) -%}
    {%- set a, b = one ~ '.given_1', other ~ '.given_1' -%}
    {%- set forms, shared = [], [] -%}
    {%- for column in full_names() -%}
        {%- do forms.extend([a ~ ' = ' ~ other ~ '.' ~ column, b ~ ' = ' ~ one ~ '.' ~ column]) -%}
        {%- for column_there in full_names() -%}{%- do shared.append(one ~ '.' ~ column ~ ' = ' ~ other ~ '.' ~ column_there) -%}{%- endfor -%}
    {%- endfor -%}
    {%- set seconds_differ -%}
        {{ one }}.given_2 <> {{ other }}.given_2
        and not {{ is_one_word(one ~ '.given_2', other ~ '.given_2') }}
        and not (
            ({{ is_initial(one ~ '.given_2') }} or {{ is_initial(other ~ '.given_2') }})
            and substr({{ one }}.given_2, 1, 1) = substr({{ other }}.given_2, 1, 1)
        )
    {%- endset -%}
    case
        when {{ one }}.title <> {{ other }}.title or {{ one }}.generation <> {{ other }}.generation then 'different'
        when ({{ one }}.is_joint or {{ other }}.is_joint) and coalesce({{ one }}.given_whole <> {{ other }}.given_whole, true) then 'joint'
        when {{ a }} is null or {{ b }} is null then 'unknown'
        -- Berg Anna and Berg Ben, in the wrong order.
        when
            {{ a }} = {{ b }} and not {{ one }}.is_known and {{ one }}.has_known_family and {{ other }}.has_known_family
            and not {{ is_one_word(one ~ '.family_whole', other ~ '.family_whole') }}
            then 'different'
        when {{ one }}.given_whole = {{ other }}.given_whole then 'same'
        when {{ a }} = {{ b }} or {{ forms | join(' or ') }} then case when {{ seconds_differ }} then 'different' else 'same' end
        when {{ a }} || {{ one }}.given_2 = {{ b }} or {{ b }} || {{ other }}.given_2 = {{ a }} then 'same'
        -- José María is a man, María José a woman.
        when {{ a }} = {{ other }}.given_2 and {{ b }} = {{ one }}.given_2 then 'different'
        when {{ a }} = {{ other }}.given_2 or {{ b }} = {{ one }}.given_2 then 'unknown'
        when {{ one }}.family_whole is null and {{ is_one_word(a, other ~ '.family_whole') }} then 'unknown'
        when {{ other }}.family_whole is null and {{ is_one_word(b, one ~ '.family_whole') }} then 'unknown'
        when {{ is_initial(a) }} then case when {{ begins_with(b, a, other) }} then 'initial' else 'different' end
        when {{ is_initial(b) }} then case when {{ begins_with(a, b, one) }} then 'initial' else 'different' end
        when {{ a }} || {{ one }}.family_whole = {{ b }} or {{ b }} || {{ other }}.family_whole = {{ a }} then 'same'
        when {{ is_latin(a) }} <> {{ is_latin(b) }} then 'unknown'
        when not {{ is_latin(a) }} then 'different'
        when {{ one }}.is_known and {{ other }}.is_known then case
            when ({{ shared | join(' or ') }}) and {{ edit_distance(a, b) }} <= 1 then 'same'
            else 'different'
        end
        when {{ differs_in_ending(a, b) }} then 'alike'
        when {{ is_typo_of(a, b, one ~ '.given_letters', other ~ '.given_letters') }} then 'typo'
        when {{ is_scrambled(one ~ '.given_letters', other ~ '.given_letters') }} then 'scrambled'
        when
            substr({{ a }}, 1, 1) = substr({{ b }}, 1, 1)
            and 2 * {{ edit_distance(a, b) }} <= greatest(length({{ a }}), length({{ b }}))
            and greatest(length({{ a }}), length({{ b }})) >= 4
            then 'resembling'
        else 'different'
    end
{%- endmacro %}
