{#
A name for comparison: its words in lower-case Latin letters, spelt by their sound, with one space between them. Käthe, Kaethe
and Kathe are one, and so are Sophie and Sofie, Marc and Mark, Meyer and Meier, Anna and Ana, Юрий and Yuriy. Letters without a
Latin counterpart here (Chinese, Arabic and others) stay. Null if there is no letter.
Put each of the three steps into a CTE of its own: nested, they are too deep for SQL parsers.
#}
{% macro plain_name(expression) -%}
    {{ by_sound('(' ~ plain_words('(' ~ in_latin_letters(expression) ~ ')') ~ ')') }}
{%- endmacro %}


{# Lower-case text, with letters that stand for several Latin letters, or for none, replaced. #}
{% macro in_latin_letters(expression) -%}
    {%- set text = namespace(of=replace_pattern("lower(" ~ composed_text(expression) | trim ~ ")", "[ьъ\u0307]") | trim) -%}
    {%- for letter, letters in {
        'ж': 'zh', 'ц': 'ts', 'ч': 'ch', 'ш': 'sh', 'щ': 'shch', 'ю': 'yu', 'я': 'ya', 'ου': 'ou', 'ού': 'ou', 'χ': 'ch', 'ψ': 'ps'
    }.items() -%}
        {%- set text.of = "replace(" ~ text.of ~ ", '" ~ letter ~ "', '" ~ letters ~ "')" -%}
    {%- endfor -%}
    case when {{ matches_pattern(expression, "^[ -~]*$") | trim }} then lower({{ expression }}) else {{ text.of }} end
{%- endmacro %}


{#
The words of the result of in_latin_letters(), each between spaces, with Latin, Cyrillic and Greek letters as one of a to z.
Anna & Ben and Anna/Ben become Anna und Ben.
#}
{% macro plain_words(lowered) -%}
    {%- set written = {
        'a': 'áàâãäåāăąạảấầẩẫậắằẳẵặаάαæ', 'b': 'бβ', 'c': 'çćčĉċ', 'd': 'ðďđдδ', 'e': 'éèêëēėęěĕẹẻẽếềểễệəеэέεёє', 'f': 'фφ', 'g': 'ğģĝгґγ',
        'h': 'ħх', 'i': 'íìîïīįıĩỉịиіήίϊηιї', 'j': 'ј', 'k': 'ķкκ', 'l': 'łļľĺлλ', 'm': 'мμ', 'n': 'ñńňņнν', 'o': 'óòôõöøōőŏọỏốồổỗộơớờởỡợоόώοωœ',
        'p': 'пπ', 'r': 'řŕŗрρ', 's': 'śšșşŝсσςß', 't': 'ţťțтτþθ', 'u': 'úùûüūůűųŭũụủưứừửữựу', 'v': 'в', 'w': 'ŵ', 'x': 'ξ',
        'y': 'ýÿŷỳỵỷỹыйύϋυ', 'z': 'žźżзζ',
    } -%}
    {#- Full-width letters, and hiragana as katakana. -#}
    {%- set others = ['ａｂｃｄｅｆｇｈｉｊｋｌｍｎｏｐｑｒｓｔｕｖｗｘｙｚ', 'ぁあぃいぅうぇえぉおかがきぎくぐけげこごさざしじすずせぜそぞただちぢっつづてでとどなにぬねのはばぱひびぴふぶぷへべぺほぼぽまみむめもゃやゅゆょよらりるれろゎわゐゑをんゔ'] -%}
    {%- set plain = ['abcdefghijklmnopqrstuvwxyz', 'ァアィイゥウェエォオカガキギクグケゲコゴサザシジスズセゼソゾタダチヂッツヅテデトドナニヌネノハバパヒビピフブプヘベペホボポマミムメモャヤュユョヨラリルレロヮワヰヱヲンヴ'] -%}
    {%- for letter, letters in written.items() -%}
        {%- do others.append(letters) -%}
        {%- do plain.append(letter * (letters | length)) -%}
    {%- endfor -%}
    {%- set latin -%}
        case when {{ matches_pattern(lowered, "^[ -~]*$") | trim }} then {{ lowered }} else translate({{ lowered }}, '{{ others | join }}', '{{ plain | join }}') end
    {%- endset -%}
    {%- set closed_up = replace_pattern(replace_pattern(latin, "[&+/]", " und ") | trim, "[\\x27’`´]") | trim -%}
    ' ' || {{ replace_pattern(closed_up, "[^\\p{L}\\p{M}]+", " ") | trim }} || ' '
{%- endmacro %}


{# Words from plain_words(), spelt by their sound. #}
{% macro by_sound(words) -%}
    {%- set sound = namespace(of=replace_pattern(words, "([aou])e([^aeiou ])", "\\1\\2") | trim) -%}
    {%- for letters, others in [('y', 'i'), ('ph', 'f'), ('th', 't'), ('dt', 't'), ('kh', 'h'), ('chr', 'kr'), ('ck', 'k')] -%}
        {%- set sound.of = "replace(" ~ sound.of ~ ", '" ~ letters ~ "', '" ~ others ~ "')" -%}
    {%- endfor -%}
    {%- set sound.of = replace_pattern(sound.of, "c([^ehiy])", "k\\1") | trim -%}
    {#- Double letters become one: one group matches, and the others are empty. -#}
    {%- set sound.of = replace_pattern(sound.of, "(a)a|(b)b|(d)d|(f)f|(g)g|(i)i|(k)k|(l)l", "\\1\\2\\3\\4\\5\\6\\7\\8") | trim -%}
    {%- set sound.of = replace_pattern(sound.of, "(m)m|(n)n|(p)p|(r)r|(s)s|(t)t|(z)z", "\\1\\2\\3\\4\\5\\6\\7") | trim -%}
    nullif(trim({{ replace_pattern(sound.of, "([aeiou])h ", "\\1 ") | trim }}), '')
{%- endmacro %}


{# The columns of person_names with the full names that a given name may be short for. #}
{% macro full_names() -%}{{ return(['full_1', 'full_2', 'full_3', 'full_4', 'full_5', 'full_6']) }}{%- endmacro %}


{# The key of person_names: a name as it is in a record. #}
{% macro name_key(first_name, last_name) -%}
    coalesce({{ first_name }}, '') || '|' || coalesce({{ last_name }}, '')
{%- endmacro %}


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


{# Why two records are two people, whatever they share, or null. Arguments are results of the macros above. #}
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
