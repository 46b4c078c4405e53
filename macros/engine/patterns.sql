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
