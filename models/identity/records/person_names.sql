-- Each name on records, split for comparing: without titles, company words and particles, and with the words in order if one
-- field holds them all. Computed once per name, not once per record, because people share few names.
-- Longer than 120 lines because a name is read in steps (spelling, words, kinds of words, parts), and each step needs the one
-- before it.
with raw_names as (
    select distinct
        first_name,
        last_name
    from {{ ref('identity_records') }}
    where first_name is not null or last_name is not null
),

-- "Berg, Anna" in one field, with the other empty.
name_fields as (
    select
        first_name,
        last_name,
        case
            when last_name is null and first_name like '%,%' then {{ dbt.split_part('first_name', "','", 2) }}
            when first_name is null and last_name like '%,%' then {{ dbt.split_part('last_name', "','", 2) }}
            else first_name
        end as given_text,
        case
            when last_name is null and first_name like '%,%' then {{ dbt.split_part('first_name', "','", 1) }}
            when first_name is null and last_name like '%,%' then {{ dbt.split_part('last_name', "','", 1) }}
            else last_name
        end as family_text
    from raw_names
),

-- Names, and the words of the seeds, are spelt by one rule.
name_texts as (
    {% for column, relation in [
        ('given_text', 'name_fields'), ('family_text', 'name_fields'), ('word', ref('name_words')),
        ('short_name', ref('given_names')), ('given_name', ref('given_names'))
    ] -%}
    select {{ column }} as name_text from {{ relation }}
    {{ 'union distinct' if not loop.last }}
    {% endfor %}
),

lowered_texts as (
    select
        name_text,
        {{ in_latin_letters('name_text') }} as lowered
    from name_texts
    where name_text is not null
),

text_words as (
    select
        name_text,
        {{ plain_words('lowered') }} as words
    from lowered_texts
),

plain_texts as (
    select
        name_text,
        {{ by_sound('words') }} as plain_text
    from text_words
),

words as (
    {% for place in range(1, 7) -%}
    select
        name_text,
        {{ place }} as place,
        {{ dbt.split_part('plain_text', "' '", place) }} as word
    from plain_texts
    where length(plain_text) - length(replace(plain_text, ' ', '')) >= {{ place - 1 }}
    {{ 'union all' if not loop.last }}
    {% endfor %}
),

name_words as (
    select
        plain_texts.plain_text as word,
        min(seed.kind) as kind
    from {{ ref('name_words') }} as seed
    inner join plain_texts on seed.word = plain_texts.name_text
    group by plain_texts.plain_text
),

-- "de" alone is a name. Before another word it is a particle.
words_by_kind as (
    select
        words.name_text,
        words.place,
        words.word,
        case
            when name_words.kind <> 'particle' then name_words.kind
            when count(case when name_words.kind is null then 1 end) over (partition by words.name_text) > 0
                then name_words.kind
        end as kind
    from words
    left join name_words on words.word = name_words.word
),

numbered_words as (
    select
        *,
        row_number() over (partition by name_text, coalesce(kind, 'name') order by place) as number_of_kind
    from words_by_kind
),

name_parts as (
    select
        name_text,
        {% for number in range(1, 4) -%}
        max(case when kind is null and number_of_kind = {{ number }} then word end) as word_{{ number }},
        {% endfor -%}
        count(case when kind is null then 1 end) as n_words,
        max(case when kind = 'joint' then 1 else 0 end) = 1 as is_joint,
        max(case when kind like 'title%' then 1 else 0 end) = 1 as has_title,
        min(case when kind like 'title of%' then kind end) as title,
        min(case when kind in ('elder', 'younger') then kind end) as generation,
        -- Systems differ in spacing: van den Berg, Vandenberg.
        nullif(
            {% for place in range(1, 7) -%}
            coalesce(max(case when place = {{ place }} and coalesce(kind, 'particle') = 'particle' then word end), ''){{ ' ||' if not loop.last }}
            {% endfor -%},
            ''
        ) as whole
    from numbered_words
    group by name_text
),

-- The names that a given name may be short for. A name that the seed maps to itself is a full name too.
short_forms as (
    select distinct
        short_names.plain_text as given_name,
        given_names.plain_text as full_name
    from {{ ref('given_names') }} as seed
    inner join plain_texts as short_names on seed.short_name = short_names.name_text
    inner join plain_texts as given_names on seed.given_name = given_names.name_text
),

numbered_forms as (
    select
        given_name,
        full_name,
        row_number() over (partition by given_name order by full_name) as place
    from short_forms
    where given_name <> full_name
),

full_names as (
    select
        {% for column in full_names() -%}
        max(case when place = {{ loop.index }} then full_name end) as {{ column }},
        {% endfor -%}
        given_name
    from numbered_forms
    group by given_name
),

known_names as (
    select given_name from short_forms
    union distinct
    select full_name as given_name from short_forms
),

parsed_names as (
    select
        name_fields.first_name,
        name_fields.last_name,
        givens.word_1 as given_1,
        givens.word_2 as given_2,
        givens.word_3 as given_3,
        givens.whole as given_whole,
        coalesce(givens.is_joint, false) as is_joint,
        families.word_1 as family_1,
        families.word_2 as family_2,
        families.whole as family_whole,
        coalesce(givens.title, families.title) as title,
        coalesce(givens.generation, families.generation) as generation,
        case
            when families.whole is null and not givens.is_joint and givens.n_words > 1 then 'in the first field'
            when families.whole is null and {{ matches_pattern('givens.whole', '^[一-鿿가-힣]{2,4}$') }} then 'in one word'
            when
                (givens.has_title and givens.n_words = 0 and families.n_words > 1)
                or (name_fields.given_text is null and families.n_words = 2 and known_names.given_name is not null)
                then 'in the last field'
        end as where_it_is_whole
    from name_fields
    left join name_parts as givens on name_fields.given_text = givens.name_text
    left join name_parts as families on name_fields.family_text = families.name_text
    left join known_names on families.word_1 = known_names.given_name
),

-- A whole name in one field ends with the family name. One Chinese or Korean word begins with it.
split_names as (
    select
        first_name,
        last_name,
        is_joint,
        title,
        generation,
        given_whole,
        case where_it_is_whole
            when 'in one word' then substr(given_whole, 2)
            when 'in the last field' then family_1
            else given_1
        end as given_1,
        case
            when where_it_is_whole is null or (where_it_is_whole = 'in the first field' and given_3 is not null) then given_2
        end as given_2,
        case where_it_is_whole
            when 'in one word' then substr(given_whole, 1, 1)
            when 'in the first field' then coalesce(given_3, given_2)
            when 'in the last field' then family_2
            else family_1
        end as family_1,
        case when where_it_is_whole is null then family_2 end as family_2,
        case where_it_is_whole
            when 'in one word' then substr(given_whole, 1, 1)
            when 'in the first field' then coalesce(given_3, given_2)
            when 'in the last field' then family_2
            else family_whole
        end as family_whole
    from parsed_names
)

select
    {{ name_key('split_names.first_name', 'split_names.last_name') }} as name_key,
    split_names.given_1,
    split_names.given_2,
    split_names.given_whole,
    split_names.is_joint,
    split_names.title,
    split_names.generation,
    split_names.family_1,
    split_names.family_2,
    split_names.family_whole,
    full_names.{{ full_names() | join(',\n    full_names.') }},
    known_names.given_name is not null as is_known,
    known_families.given_name is not null as has_known_family,
    {{ sorted_letters('split_names.given_1') }} as given_letters,
    {{ sorted_letters('split_names.family_whole') }} as family_letters
from split_names
left join full_names on split_names.given_1 = full_names.given_name
left join known_names on split_names.given_1 = known_names.given_name
left join known_names as known_families on split_names.family_whole = known_families.given_name
