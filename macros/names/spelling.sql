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
