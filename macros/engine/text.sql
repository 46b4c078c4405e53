{% macro replace_pattern(expression, pattern, replacement='') %}
    {{ return(adapter.dispatch('replace_pattern', 'mailroom')(expression, pattern, replacement)) }}
{% endmacro %}

{% macro default__replace_pattern(expression, pattern, replacement) %}{{ no_engine('replace_pattern') }}{% endmacro %}

{% macro duckdb__replace_pattern(expression, pattern, replacement) -%}
    regexp_replace({{ expression }}, '{{ pattern }}', '{{ replacement }}', 'g')
{%- endmacro %}

{% macro spark__replace_pattern(expression, pattern, replacement) -%}
    regexp_replace({{ expression }}, r'{{ java_pattern(pattern) }}', r'{{ modules.re.sub("[\\\\]([0-9])", "$\\1", replacement) }}')
{%- endmacro %}

{% macro snowflake__replace_pattern(expression, pattern, replacement) -%}
    {%- set posix = posix_pattern(pattern) -%}
    regexp_replace({{ expression }}, '{{ posix.pattern }}', '{{ modules.re.sub("[\\\\]([0-9])", "\\\\\\\\\\1", replacement) }}', 1, 0, '{{ posix.flags }}')
{%- endmacro %}

{% macro bigquery__replace_pattern(expression, pattern, replacement) -%}
    regexp_replace({{ expression }}, r'{{ pattern }}', r'{{ replacement }}')
{%- endmacro %}


{% macro matches_pattern(expression, pattern) %}
    {{ return(adapter.dispatch('matches_pattern', 'mailroom')(expression, pattern)) }}
{% endmacro %}

{% macro default__matches_pattern(expression, pattern) %}{{ no_engine('matches_pattern') }}{% endmacro %}

{% macro duckdb__matches_pattern(expression, pattern) -%}
    regexp_matches({{ expression }}, '{{ pattern }}')
{%- endmacro %}

{% macro spark__matches_pattern(expression, pattern) -%}
    ({{ expression }} rlike r'{{ java_pattern(pattern) }}')
{%- endmacro %}

{# Snowflake's rlike and regexp_like only match a whole text. #}
{% macro snowflake__matches_pattern(expression, pattern) -%}
    {%- set posix = posix_pattern(pattern) -%}
    (regexp_instr({{ expression }}, '{{ posix.pattern }}', 1, 1, 0, '{{ posix.flags }}') > 0)
{%- endmacro %}

{% macro bigquery__matches_pattern(expression, pattern) -%}
    regexp_contains({{ expression }}, r'{{ pattern }}')
{%- endmacro %}


{% macro extract_pattern(expression, pattern) %}
    {{ return(adapter.dispatch('extract_pattern', 'mailroom')(expression, pattern)) }}
{% endmacro %}

{% macro default__extract_pattern(expression, pattern) %}{{ no_engine('extract_pattern') }}{% endmacro %}

{% macro duckdb__extract_pattern(expression, pattern) -%}
    nullif(regexp_extract({{ expression }}, '{{ pattern }}', 1), '')
{%- endmacro %}

{% macro spark__extract_pattern(expression, pattern) -%}
    nullif(regexp_extract({{ expression }}, r'{{ java_pattern(pattern) }}', 1), '')
{%- endmacro %}

{% macro snowflake__extract_pattern(expression, pattern) -%}
    {%- set posix = posix_pattern(pattern) -%}
    nullif(regexp_substr({{ expression }}, '{{ posix.pattern }}', 1, 1, '{{ posix.flags }}e', {{ posix.first_group }}), '')
{%- endmacro %}

{# BigQuery allows one group only: write the others as (?:…). #}
{% macro bigquery__extract_pattern(expression, pattern) -%}
    nullif(regexp_extract({{ expression }}, r'{{ pattern }}'), '')
{%- endmacro %}


{# A pattern for Java: $ matches only the end of the text, and a dot everything except a line feed, as in RE2. #}
{% macro java_pattern(pattern) %}
    {{ return('(?d)' ~ pattern | replace('$', '\\z')) }}
{% endmacro %}

{#
A pattern for Snowflake, in POSIX extended form, without (?:…), Unicode classes and leading flags: {pattern, flags,
first_group}. first_group is the number of the first group that was not (?:…). The flag c is case-sensitive.
Error: a pattern with a construct that Snowflake lacks.
#}
{% macro posix_pattern(pattern) %}
    {%- set flags = modules.re.match('[(][?]([is]+)[)]', pattern) -%}
    {%- set plain = pattern[flags.end():] if flags else pattern -%}
    {%- set posix = namespace(pattern=plain | replace('(?:', '(')) -%}
    {%- for theirs, ours in {
        '\\p{L}': '[:alpha:]', '\\p{M}': '', '\\p{N}': '[:digit:]', '\\p{Z}': '[:space:]', '\\p{Cc}': '[:cntrl:]',
        '\\p{C}': '[:cntrl:]', '\\x{AD}': '\u00ad', '\\x{200B}': '\u200b', '\\x{FEFF}': '\ufeff', '\\x27': "''",
        '\\x{24}': '[$]', '\\x{20}': ' ', '\\x{A0}': '\u00a0', '\\x{2009}': '\u2009', '\\x{202F}': '\u202f'
    }.items() -%}
        {%- set posix.pattern = posix.pattern | replace(theirs, ours) -%}
    {%- endfor -%}
    {%- if modules.re.search('[\\\\]|[(][?]|[*+?}][?]', posix.pattern) -%}
        {{ exceptions.raise_compiler_error("macros/engine: Snowflake does not support a part of the pattern " ~ pattern) }}
    {%- endif -%}
    {%- set groups = modules.re.findall('[(](?:[?]:)?', plain) -%}
    {{ return({
        'pattern': posix.pattern,
        'flags': flags.group(1) if flags else 'c',
        'first_group': groups.index('(') + 1 if '(' in groups else 0
    }) }}
{% endmacro %}


{% macro node_id(expression) %}{{ return(adapter.dispatch('node_id', 'mailroom')(expression)) }}{% endmacro %}

{% macro default__node_id(expression) %}{{ no_engine('node_id') }}{% endmacro %}

{% macro duckdb__node_id(expression) -%}
    cast(md5_number_lower({{ expression }}) >> 1 as bigint)
{%- endmacro %}

{% macro spark__node_id(expression) -%}
    xxhash64({{ expression }})
{%- endmacro %}

{% macro snowflake__node_id(expression) -%}
    md5_number_lower64({{ expression }})
{%- endmacro %}

{% macro bigquery__node_id(expression) -%}
    farm_fingerprint({{ expression }})
{%- endmacro %}


{# The SHA-256 (FIPS 180-4) of a text, in lower-case hexadecimal digits. #}
{% macro sha256_text(expression) %}{{ return(adapter.dispatch('sha256_text', 'mailroom')(expression)) }}{% endmacro %}

{% macro default__sha256_text(expression) %}{{ no_engine('sha256_text') }}{% endmacro %}

{% macro duckdb__sha256_text(expression) -%}
    sha256({{ expression }})
{%- endmacro %}

{% macro spark__sha256_text(expression) -%}
    sha2({{ expression }}, 256)
{%- endmacro %}

{% macro snowflake__sha256_text(expression) -%}
    sha2({{ expression }}, 256)
{%- endmacro %}

{% macro bigquery__sha256_text(expression) -%}
    to_hex(sha256({{ expression }}))
{%- endmacro %}


{# A random text that cannot be guessed, new at each call. #}
{% macro random_text() %}{{ return(adapter.dispatch('random_text', 'mailroom')()) }}{% endmacro %}

{% macro default__random_text() %}{{ no_engine('random_text') }}{% endmacro %}

{% macro duckdb__random_text() -%}
    cast(uuid() as string) || cast(uuid() as string)
{%- endmacro %}

{% macro spark__random_text() -%}
    uuid() || uuid()
{%- endmacro %}

{% macro snowflake__random_text() -%}
    uuid_string() || uuid_string()
{%- endmacro %}

{% macro bigquery__random_text() -%}
    generate_uuid() || generate_uuid()
{%- endmacro %}


{% macro text_as_json(expression) %}{{ return(adapter.dispatch('text_as_json', 'mailroom')(expression)) }}{% endmacro %}

{% macro default__text_as_json(expression) %}{{ no_engine('text_as_json') }}{% endmacro %}

{% macro duckdb__text_as_json(expression) -%}
    cast(to_json(cast({{ expression }} as varchar)) as varchar)
{%- endmacro %}

{# Spark writes objects only: {"v":"…"}, and {} for null. #}
{% macro spark__text_as_json(expression) -%}
    case
        when {{ expression }} is not null
            then
                substr(
                    to_json(named_struct('v', cast({{ expression }} as string))), 6,
                    length(to_json(named_struct('v', cast({{ expression }} as string)))) - 6
                )
    end
{%- endmacro %}

{% macro snowflake__text_as_json(expression) -%}
    to_json(to_variant(cast({{ expression }} as string)))
{%- endmacro %}

{# BigQuery writes null as the text null. #}
{% macro bigquery__text_as_json(expression) -%}
    case when {{ expression }} is not null then to_json_string(cast({{ expression }} as string)) end
{%- endmacro %}


{# Texts with a separator between them, without nulls. If all are null, the result is empty. #}
{% macro joined(separator, texts) %}{{ return(adapter.dispatch('joined', 'mailroom')(separator, texts)) }}{% endmacro %}

{% macro default__joined(separator, texts) %}{{ no_engine('joined') }}{% endmacro %}

{% macro duckdb__joined(separator, texts) -%}
    concat_ws('{{ separator }}', {{ texts | join(', ') }})
{%- endmacro %}

{% macro spark__joined(separator, texts) -%}
    concat_ws('{{ separator }}', {{ texts | join(', ') }})
{%- endmacro %}

{# Snowflake's concat_ws is null if one text is null. BigQuery has none. #}
{% macro snowflake__joined(separator, texts) -%}
    array_to_string(array_construct_compact({{ texts | join(', ') }}), '{{ separator }}')
{%- endmacro %}

{% macro bigquery__joined(separator, texts) -%}
    array_to_string([{{ texts | join(', ') }}], '{{ separator }}')
{%- endmacro %}


{# A text with its letters composed (Unicode NFC), so that ü is one character however it was typed. #}
{% macro composed_text(expression) %}{{ return(adapter.dispatch('composed_text', 'mailroom')(expression)) }}{% endmacro %}

{% macro default__composed_text(expression) %}{{ no_engine('composed_text') }}{% endmacro %}

{% macro duckdb__composed_text(expression) -%}
    nfc_normalize({{ expression }})
{%- endmacro %}

{% macro spark__composed_text(expression) -%}
    {{ composed_letters(expression) }}
{%- endmacro %}

{# Snowflake has no such function either, and replace() nested this deep is too much for its SQL parser: text stays as typed. #}
{% macro snowflake__composed_text(expression) -%}
    {{ expression }}
{%- endmacro %}

{% macro bigquery__composed_text(expression) -%}
    normalize({{ expression }}, NFC)
{%- endmacro %}

{# For Spark, which has no Unicode normalisation: the lower-case Latin letters of European languages. #}
{% macro composed_letters(expression) -%}
    {%- set composed = namespace(sql=expression) -%}
    {%- for mark, plain, letters in [
        ('\u0300', 'aeioun', 'àèìòùǹ'), ('\u0301', 'aeiouyncszlr', 'áéíóúýńćśźĺŕ'), ('\u0302', 'aeioucghjswy', 'âêîôûĉĝĥĵŝŵŷ'),
        ('\u0303', 'anoiu', 'ãñõĩũ'), ('\u0304', 'aeiou', 'āēīōū'), ('\u0306', 'aegiou', 'ăĕğĭŏŭ'), ('\u0307', 'cegz', 'ċėġż'),
        ('\u0308', 'aeiouy', 'äëïöüÿ'), ('\u030a', 'au', 'åů'), ('\u030b', 'ou', 'őű'), ('\u030c', 'cdenrstz', 'čďěňřšťž'),
        ('\u0326', 'st', 'șț'), ('\u0327', 'cgklnrst', 'çģķļņŗşţ'), ('\u0328', 'aeiu', 'ąęįų')
    ] -%}
        {%- for letter in letters -%}
            {%- set composed.sql = "replace(" ~ composed.sql ~ ", '" ~ plain[loop.index0] ~ mark ~ "', '" ~ letter ~ "')" -%}
        {%- endfor -%}
    {%- endfor -%}
    {{ composed.sql }}
{%- endmacro %}


{# An address with its domain in its own script: xn--mller-kva.de is müller.de (RFC 3492, RFC 5891). #}
{% macro own_script_domain(email) %}{{ return(adapter.dispatch('own_script_domain', 'mailroom')(email)) }}{% endmacro %}

{% macro default__own_script_domain(email) %}{{ no_engine('own_script_domain') }}{% endmacro %}

{#
DuckDB has no function for it. This is the decoder of RFC 3492, section 6.2, one digit per step. `at` is the position of the
next letter, `code` its code point. Both are kept within their limits, so that a label that is not Punycode gives no error.
Lists of one element name a value that is used more than once. DuckDB 1.5 reduces a list only to the type of its elements, so
each digit stands in the letters of a state.
#}
{% macro duckdb__own_script_domain(email) -%}
    list_transform([{{ email }}], lambda address: case
        when not regexp_matches(address, '[@.]xn--') then address
        else split_part(address, '@', 1) || '@' || array_to_string(list_transform(
            string_split(split_part(address, '@', 2), '.'),
            lambda label: case
                when not regexp_matches(label, '^xn--[a-z0-9-]{0,58}[a-z0-9]$') then label
                else list_transform([list_reduce(
                    list_transform(string_split(regexp_extract(label, '([a-z0-9]+)$', 1), ''), lambda digit: {
                        'letters': digit, 'at': 0::bigint, 'started_at': 0::bigint,
                        'weight': 1::bigint, 'base': 36::bigint, 'bias': 72::bigint, 'code': 128::bigint
                    }),
                    lambda state, digit: list_transform([{
                        'value': case
                            when digit.letters between '0' and '9' then ascii(digit.letters) - 22 else ascii(digit.letters) - 97
                        end,
                        'threshold': greatest(1, least(26, state.base - state.bias))
                    }], lambda step: case
                        when step.value >= step.threshold then {
                            'letters': state.letters,
                            'at': least(state.at + step.value * state.weight, 4294967295),
                            'started_at': state.started_at,
                            'weight': least(state.weight * (36 - step.threshold), 4294967295),
                            'base': state.base + 36,
                            'bias': state.bias,
                            'code': state.code
                        }
                        else list_transform([{
                            'at': least(state.at + step.value * state.weight, 4294967295),
                            'length': length(state.letters) + 1
                        }], lambda letter: {
                            'letters': substr(state.letters, 1, (letter.at % letter.length)::bigint)
                                || list_transform(
                                    [least(state.code + letter.at // letter.length, 1114111)],
                                    lambda code: chr(case when code between 55296 and 57343 then 65533 else code end::integer)
                                )[1]
                                || substr(state.letters, (letter.at % letter.length)::bigint + 1),
                            'at': letter.at % letter.length + 1,
                            'started_at': letter.at % letter.length + 1,
                            'weight': 1,
                            'base': 36,
                            'bias': list_transform(
                                [(letter.at - state.started_at) // case when state.started_at = 0 then 700 else 2 end],
                                lambda gap: list_transform(
                                    [gap + gap // letter.length],
                                    lambda delta: case
                                        when delta <= 455 then 36 * delta // (delta + 38)
                                        when delta <= 455 * 35 + 34 then 36 + 36 * (delta // 35) // (delta // 35 + 38)
                                        when delta <= 455 * 1225 + 1224 then 72 + 36 * (delta // 1225) // (delta // 1225 + 38)
                                        else 108 + 36 * (delta // 42875) // (delta // 42875 + 38)
                                    end
                                )[1]
                            )[1],
                            'code': least(state.code + letter.at // letter.length, 1114111)
                        })[1]
                    end)[1],
                    {
                        'letters': regexp_extract(label, '^xn--(.*)-[a-z0-9]+$', 1), 'at': 0::bigint, 'started_at': 0::bigint,
                        'weight': 1::bigint, 'base': 36::bigint, 'bias': 72::bigint, 'code': 128::bigint
                    }
                ).letters], lambda letters: case
                    when regexp_matches(letters, '^[\p{L}\p{M}\p{N}_-]+$') then letters else label
                end)[1]
            end
        ), '.')
    end)[1]
{%- endmacro %}

{% macro spark__own_script_domain(email) -%}
    transform(array({{ email }}), address -> case
        when address rlike '[@.]xn--'
            then split_part(address, '@', 1) || '@' || lower(reflect('java.net.IDN', 'toUnicode', split_part(address, '@', 2)))
        else address
    end)[0]
{%- endmacro %}

{# Snowflake and BigQuery have no such function: an international domain stays as it is spelled. #}
{% macro snowflake__own_script_domain(email) -%}
    {{ email }}
{%- endmacro %}

{% macro bigquery__own_script_domain(email) -%}
    {{ email }}
{%- endmacro %}


{# Letters to insert, delete or change to turn one text into another (Levenshtein). #}
{% macro edit_distance(one, other) %}{{ return(adapter.dispatch('edit_distance', 'mailroom')(one, other)) }}{% endmacro %}

{% macro default__edit_distance(one, other) %}{{ no_engine('edit_distance') }}{% endmacro %}

{% macro duckdb__edit_distance(one, other) -%}
    levenshtein({{ one }}, {{ other }})
{%- endmacro %}

{% macro spark__edit_distance(one, other) -%}
    levenshtein({{ one }}, {{ other }})
{%- endmacro %}

{% macro snowflake__edit_distance(one, other) -%}
    editdistance({{ one }}, {{ other }})
{%- endmacro %}

{% macro bigquery__edit_distance(one, other) -%}
    edit_distance({{ one }}, {{ other }})
{%- endmacro %}


{# The letters of a text, sorted: Anna gives Aann. #}
{% macro sorted_letters(expression) %}{{ return(adapter.dispatch('sorted_letters', 'mailroom')(expression)) }}{% endmacro %}

{% macro default__sorted_letters(expression) %}{{ no_engine('sorted_letters') }}{% endmacro %}

{% macro duckdb__sorted_letters(expression) -%}
    array_to_string(list_sort(string_split({{ expression }}, '')), '')
{%- endmacro %}

{% macro spark__sorted_letters(expression) -%}
    array_join(array_sort(split({{ expression }}, '')), '')
{%- endmacro %}

{% macro snowflake__sorted_letters(expression) -%}
    array_to_string(array_sort(split(regexp_replace({{ expression }}, '(.)', '\\1 '), ' ')), '')
{%- endmacro %}

{% macro bigquery__sorted_letters(expression) -%}
    (select string_agg(letter, '' order by letter) from unnest(split({{ expression }}, '')) as letter)
{%- endmacro %}
