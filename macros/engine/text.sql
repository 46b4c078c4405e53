{% macro replace_pattern(expression, pattern, replacement='') %}
    {{ return(adapter.dispatch('replace_pattern', 'mailroom')(expression, pattern, replacement)) }}
{% endmacro %}

{% macro default__replace_pattern(expression, pattern, replacement) %}{{ no_engine('replace_pattern') }}{% endmacro %}

{% macro duckdb__replace_pattern(expression, pattern, replacement) -%}
    regexp_replace({{ expression }}, '{{ pattern }}', '{{ replacement }}', 'g')
{%- endmacro %}

{% macro spark__replace_pattern(expression, pattern, replacement) -%}
    regexp_replace({{ expression }}, r'{{ java_pattern(pattern) }}', '{{ replacement }}')
{%- endmacro %}

{% macro snowflake__replace_pattern(expression, pattern, replacement) -%}
    {%- set posix = posix_pattern(pattern) -%}
    regexp_replace({{ expression }}, '{{ posix.pattern }}', '{{ replacement }}', 1, 0, '{{ posix.flags }}')
{%- endmacro %}

{% macro bigquery__replace_pattern(expression, pattern, replacement) -%}
    regexp_replace({{ expression }}, r'{{ pattern }}', '{{ replacement }}')
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

{# BigQuery takes one group only: write the others as (?:…). #}
{% macro bigquery__extract_pattern(expression, pattern) -%}
    nullif(regexp_extract({{ expression }}, r'{{ pattern }}'), '')
{%- endmacro %}


{# A pattern as Java reads it: $ is the end of the text only, and a dot is all but a line feed, as in RE2. #}
{% macro java_pattern(pattern) %}
    {{ return('(?d)' ~ pattern | replace('$', '\\z')) }}
{% endmacro %}

{#
A pattern as Snowflake reads it, in POSIX's extended form, without (?:…), Unicode's classes and flags in front: {pattern,
flags, first_group}. first_group is the number of the first group that was not (?:…). The flag c heeds the case.
Error: a pattern with what has no counterpart there.
#}
{% macro posix_pattern(pattern) %}
    {%- set flags = modules.re.match('[(][?]([is]+)[)]', pattern) -%}
    {%- set plain = pattern[flags.end():] if flags else pattern -%}
    {%- set posix = namespace(pattern=plain | replace('(?:', '(')) -%}
    {%- for theirs, ours in {
        '\\p{L}': '[:alpha:]', '\\p{M}': '', '\\p{N}': '[:digit:]', '\\p{Z}': '[:space:]', '\\p{Cc}': '[:cntrl:]',
        '\\p{C}': '[:cntrl:]', '\\x{200B}': '\u200b', '\\x{FEFF}': '\ufeff', '\\x27': "''"
    }.items() -%}
        {%- set posix.pattern = posix.pattern | replace(theirs, ours) -%}
    {%- endfor -%}
    {%- if modules.re.search('[\\\\]|[(][?]|[*+?}][?]', posix.pattern) -%}
        {{ exceptions.raise_compiler_error("macros/engine: Snowflake has nothing like a part of the pattern " ~ pattern) }}
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


{# A text nobody can guess, another one each time. #}
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


{# Texts with a separator between them. Null ones are passed over; where all are null, the text is empty. #}
{% macro joined(separator, texts) %}{{ return(adapter.dispatch('joined', 'mailroom')(separator, texts)) }}{% endmacro %}

{% macro default__joined(separator, texts) %}{{ no_engine('joined') }}{% endmacro %}

{% macro duckdb__joined(separator, texts) -%}
    concat_ws('{{ separator }}', {{ texts | join(', ') }})
{%- endmacro %}

{% macro spark__joined(separator, texts) -%}
    concat_ws('{{ separator }}', {{ texts | join(', ') }})
{%- endmacro %}

{# Snowflake's concat_ws is null where one of them is, BigQuery has none. #}
{% macro snowflake__joined(separator, texts) -%}
    array_to_string(array_construct_compact({{ texts | join(', ') }}), '{{ separator }}')
{%- endmacro %}

{% macro bigquery__joined(separator, texts) -%}
    array_to_string([{{ texts | join(', ') }}], '{{ separator }}')
{%- endmacro %}
