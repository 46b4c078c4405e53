{% macro name_mark_type(identifier_type) -%}
    case when {{ identifier_type }} = 'email' then 'mailbox and name' else 'phone and name' end
{%- endmacro %}


{#
The marks that a name leaves in the ledger, or is looked up by. Hashes match only if they are equal, so each spelling that
compared_names takes for the same name shares a mark with it. people: a relation of identifiers (identifier_type, identifier,
name_key) with the columns `keys`. side: erased, or back.
Limits: two typing errors in one word and scrambled letters are not found.
#}
{% macro name_marks(people, keys, side) -%}
    {%- set columns = (keys + ['identifier_type', 'identifier']) | join(', ') -%}
    {%- set erased = side == 'erased' -%}
    {%- set marks = ["'is ' || names.given_1", "'swapped ' || " ~ ("names.family_whole || ' ' || names.given_1" if erased else "names.given_1 || ' ' || names.family_whole")] -%}
    {%- for column in full_names() -%}{%- do marks.append(("'short for '" if erased else "'is '") ~ ' || names.' ~ column) -%}{%- endfor -%}
    {%- if not erased -%}{%- do marks.append("'short for ' || names.given_1") -%}{%- endif -%}
    {#- Two words that differ in one letter are equal without it. The ending stays: Paul is not Paula. -#}
    {%- set spellings = ["names.given_1", "'letters ' || names.given_letters"] -%}
    {%- set n_letters = "length(names.given_1) - case when " ~ matches_pattern('names.given_1', '[aeosu]$') | trim ~ " then 1 else 0 end" -%}
    {%- for place in range(1, 13) -%}
        {%- do spellings.append("case when " ~ n_letters ~ " >= " ~ place ~ " then substr(names.given_1, 1, " ~ (place - 1) ~ ") || substr(names.given_1, " ~ (place + 1) ~ ") end") -%}
    {%- endfor -%}
    {#- If both are known names, one is not a typing error of the other. -#}
    {%- for spelling in spellings -%}
        {%- for mark, of_all in {'nearly': erased, 'not quite': not erased}.items() -%}
            {%- do marks.append(
                "case when " ~ is_latin('names.given_1') ~ " and length(names.given_1) >= 4" ~ ("" if of_all else " and not names.is_known") ~ " then '" ~ mark ~ " ' || " ~ spelling ~ " end"
            ) -%}
        {%- endfor -%}
    {%- endfor -%}
    {#- Reads people once and takes numbers from a seed, because Spark's plans grow with each select of a union. -#}
    select {{ columns }}, mark
    from (
        select
            people.{{ (keys + ['identifier_type', 'identifier']) | join(', people.') }},
            case places.place
                {% for mark in marks -%}
                when {{ loop.index }} then {{ mark }}
                {% endfor -%}
            end as mark
        from {{ people }} as people
        inner join {{ ref('person_names') }} as names on people.name_key = names.name_key
        cross join (
            select row_number() over (order by short_name, given_name) as place from {{ ref('given_names') }}
        ) as places
        where places.place <= {{ marks | length }}
    ) as marked
    where mark is not null
{%- endmacro %}
