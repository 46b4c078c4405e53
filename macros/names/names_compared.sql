{#
How two family names compare: same (also one part of a double name, with and without a space, or with a typing error), unknown
(one is missing, an initial, or in another script) or different.
#}
{% macro family_names_compared(one, other) -%}
    {%- set a, b = one ~ '.family_whole', other ~ '.family_whole' -%}
    {%- set pairs = [] -%}
    {%- for part in ['family_1', 'family_2'] -%}
        {%- for part_there in ['family_1', 'family_2'] -%}{%- do pairs.append(one ~ '.' ~ part ~ ' = ' ~ other ~ '.' ~ part_there) -%}{%- endfor -%}
    {%- endfor -%}
    case
        when {{ a }} = {{ b }} or {{ pairs | join(' or ') }} then 'same'
        when {{ one }}.given_1 is null and {{ a }} = {{ other }}.given_1 then 'unknown'
        when {{ other }}.given_1 is null and {{ b }} = {{ one }}.given_1 then 'unknown'
        when {{ a }} is null and {{ one }}.given_1 = {{ b }} then 'same'
        when {{ b }} is null and {{ other }}.given_1 = {{ a }} then 'same'
        when {{ a }} is null or {{ b }} is null then 'unknown'
        when {{ one }}.family_1 = {{ other }}.given_2 or {{ other }}.family_1 = {{ one }}.given_2 then 'unknown'
        when {{ is_initial(a) }} or {{ is_initial(b) }} then case
            when substr({{ a }}, 1, 1) = substr({{ b }}, 1, 1) then 'unknown'
            else 'different'
        end
        when {{ is_latin(a) }} <> {{ is_latin(b) }} then 'unknown'
        when {{ is_one_word(a, b) }} or {{ is_one_word(one ~ '.family_1', other ~ '.family_1') }} then 'same'
        when {{ is_latin(a) }} and {{ is_scrambled(one ~ '.family_letters', other ~ '.family_letters') }} then 'same'
        else 'different'
    end
{%- endmacro %}


{#
A relation of pairs of names (name_key, other_name_key) with how they compare: given_names and family_names. The guards, consent
and erasure all use this definition of "the same name".
#}
{% macro names_compared(pairs) -%}
    (
        select
            name_key,
            other_name_key,
            case when are_swapped then 'same' else given_names end as given_names,
            case when are_swapped then 'same' else family_names end as family_names
        from (
            select
                pairs.name_key,
                pairs.other_name_key,
                {{ are_swapped('one', 'other') }} as are_swapped,
                {{ given_names_compared('one', 'other') }} as given_names,
                {{ family_names_compared('one', 'other') }} as family_names
            from {{ pairs }} as pairs
            left join {{ ref('person_names') }} as one on pairs.name_key = one.name_key
            left join {{ ref('person_names') }} as other on pairs.other_name_key = other.name_key
        ) as compared
    )
{%- endmacro %}
