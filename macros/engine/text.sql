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


{# A pattern as Java reads it: $ is the end of the text only, and a dot is all but a line feed, as in RE2. #}
{% macro java_pattern(pattern) %}
    {{ return('(?d)' ~ pattern | replace('$', '\\z')) }}
{% endmacro %}


{% macro node_id(expression) %}{{ return(adapter.dispatch('node_id', 'mailroom')(expression)) }}{% endmacro %}

{% macro default__node_id(expression) %}{{ no_engine('node_id') }}{% endmacro %}

{% macro duckdb__node_id(expression) -%}
    cast(md5_number_lower({{ expression }}) >> 1 as bigint)
{%- endmacro %}

{% macro spark__node_id(expression) -%}
    xxhash64({{ expression }})
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


{# A text nobody can guess, another one each time. #}
{% macro random_text() %}{{ return(adapter.dispatch('random_text', 'mailroom')()) }}{% endmacro %}

{% macro default__random_text() %}{{ no_engine('random_text') }}{% endmacro %}

{% macro duckdb__random_text() -%}
    cast(uuid() as string) || cast(uuid() as string)
{%- endmacro %}

{% macro spark__random_text() -%}
    uuid() || uuid()
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
