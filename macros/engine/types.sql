{#
A text as a value of a contract type, or null where it is not one. What counts is said here, once, and is the same
on every engine; spaces around the text don't matter.
- boolean: true t yes y 1, false f no n 0, in any case
- integer, bigint: a whole number; 3.0 is one, 3.5 and 1e3 are not
- decimal, double: 12, -1.5, .5, 1e-3; decimals are rounded half up
- timestamp: 2026-07-01, 2026-07-01 09:30, 2026-07-01T09:30:00.123, with Z, UTC or an offset such as +02:00, +0200
  or +02 behind the seconds; without one the text is in UTC. Years 1900 to 2199 (infinity, epoch and the year 1 are
  placeholders of the systems that wrote them); digits beyond microseconds are cut
- date: the day of such a timestamp, in UTC
#}
{% macro parse(expression, data_type) %}
    {%- set family = data_type.split('(')[0] -%}
    {%- set text = "trim(" ~ expression ~ ")" -%}
    {%- if family in ('text', 'string') -%}{{ return(expression) }}
    {%- elif family == 'timestamp' -%}{{ return(parse_timestamp(text)) }}
    {%- elif family == 'date' -%}{{ return("cast(" ~ parse_timestamp(text) | trim ~ " as date)") }}
    {%- elif family == 'boolean' -%}
        {{ return(
            "case when lower(" ~ text ~ ") in ('true', 't', 'yes', 'y', '1') then true"
            ~ " when lower(" ~ text ~ ") in ('false', 'f', 'no', 'n', '0') then false end"
        ) }}
    {%- elif family in ('integer', 'bigint') -%}
        {%- set digits = extract_pattern(text, "^([+-]?[0-9]+)(?:[.]0*)?$") | trim -%}
        {{ return(cast_or_null(digits, data_type) | trim) }}
    {%- elif family in ('decimal', 'double') -%}
        {#- Beyond so many digits one engine gives up before the other. -#}
        {%- set is_number = matches_pattern(text,
            "^[+-]?(?:[0-9]{1,18}[.]?[0-9]{0,18}|[.][0-9]{1,18}|[0-9]{1,9}[.]?[0-9]{0,9}[eE][+-]?[0-9]{1,2})$"
        ) | trim -%}
        {{ return("case when " ~ is_number ~ " then " ~ cast_or_null(text, data_type) | trim ~ " end") }}
    {%- endif -%}
    {{ exceptions.raise_compiler_error("parse: no rule for the type " ~ data_type) }}
{% endmacro %}


{% macro parse_timestamp(expression) -%}
    {%- set is_timestamp = matches_pattern(expression,
        "^(19|2[01])[0-9]{2}-[0-9]{2}-[0-9]{2}"
        ~ "([T ]([01][0-9]|2[0-3]):[0-9]{2}(:[0-9]{2}([.][0-9]{1,9})?(Z| UTC| ?[+-](0[0-9]|1[0-4])(:?[0-5][0-9])?)?)?)?$"
    ) | trim -%}
    case when {{ is_timestamp }} then {{ timestamp_in_utc(expression) | trim }} end
{%- endmacro %}


{# A value that is not text as another type. A fraction is rounded to become whole; Spark's own cast would cut it. #}
{% macro try_cast(expression, data_type) -%}
    {{ cast_or_null('round(' ~ expression ~ ')' if data_type in ('integer', 'bigint') else expression, data_type) | trim }}
{%- endmacro %}


{% macro cast_or_null(expression, data_type) %}{{ return(adapter.dispatch('cast_or_null', 'mailroom')(expression, data_type)) }}{% endmacro %}

{% macro default__cast_or_null(expression, data_type) %}{{ no_engine('cast_or_null') }}{% endmacro %}

{% macro duckdb__cast_or_null(expression, data_type) -%}
    try_cast({{ expression }} as {{ data_type }})
{%- endmacro %}

{% macro spark__cast_or_null(expression, data_type) -%}
    try_cast({{ expression }} as {{ data_type }})
{%- endmacro %}

{# Snowflake's try_cast takes text only. #}
{% macro snowflake__cast_or_null(expression, data_type) -%}
    try_cast(cast({{ expression }} as string) as {{ data_type }})
{%- endmacro %}

{% macro bigquery__cast_or_null(expression, data_type) -%}
    safe_cast({{ expression }} as {{ sql_type(data_type) }})
{%- endmacro %}


{% macro timestamp_in_utc(expression) %}{{ return(adapter.dispatch('timestamp_in_utc', 'mailroom')(expression)) }}{% endmacro %}

{% macro default__timestamp_in_utc(expression) %}{{ no_engine('timestamp_in_utc') }}{% endmacro %}

{# DuckDB takes no space before an offset. #}
{% macro duckdb__timestamp_in_utc(expression) -%}
    try_cast(replace(replace({{ expression }}, ' +', '+'), ' -', '-') as timestamptz) at time zone 'UTC'
{%- endmacro %}

{# Spark's timestamp is a moment; it shows it in the session's zone, which profiles.yml sets to UTC. #}
{% macro spark__timestamp_in_utc(expression) -%}
    try_cast({{ expression }} as timestamp)
{%- endmacro %}

{# A text with an offset must have a colon in it and no space before it; one without would be of the session's zone. #}
{% macro snowflake__timestamp_in_utc(expression) -%}
    {%- set has_offset = matches_pattern(expression, "(Z|UTC|:[0-9.]+ ?[+-][0-9:]+)$") | trim -%}
    {%- set cut = "regexp_replace(" ~ expression ~ ", '([.][0-9]{6})[0-9]+', '\\\\1')" -%}
    {%- set closed_up = "replace(replace(replace(" ~ cut ~ ", ' UTC', 'Z'), ' +', '+'), ' -', '-')" -%}
    {%- set with_colon = "regexp_replace(" ~ closed_up ~ ", '([+-][0-9]{2})([0-9]{2})$', '\\\\1:\\\\2')" -%}
    case
        when {{ has_offset }}
            then cast(convert_timezone('UTC', try_cast({{ with_colon }} as timestamp_tz)) as timestamp)
        else try_cast({{ cut }} as timestamp)
    end
{%- endmacro %}

{# BigQuery wants seconds, a colon in an offset and no space before it, and takes six digits of a second. #}
{% macro bigquery__timestamp_in_utc(expression) -%}
    {%- set closed_up = "replace(replace(" ~ expression ~ ", ' +', '+'), ' -', '-')" -%}
    {%- set with_colon = "regexp_replace(" ~ closed_up ~ ", r'([+-][0-9]{2})([0-9]{2})$', r'\\1:\\2')" -%}
    {%- set cut = "regexp_replace(" ~ with_colon ~ ", r'([.][0-9]{6})[0-9]+', r'\\1')" -%}
    safe_cast(regexp_replace({{ cut }}, r'^(.{13}:[0-9]{2})$', r'\1:00') as timestamp)
{%- endmacro %}


{% macro seconds_between(from_at, to_at) %}{{ return(adapter.dispatch('seconds_between', 'mailroom')(from_at, to_at)) }}{% endmacro %}

{% macro default__seconds_between(from_at, to_at) %}{{ no_engine('seconds_between') }}{% endmacro %}

{% macro duckdb__seconds_between(from_at, to_at) -%}
    (epoch({{ to_at }}) - epoch({{ from_at }}))
{%- endmacro %}

{% macro spark__seconds_between(from_at, to_at) -%}
    (cast({{ to_at }} as double) - cast({{ from_at }} as double))
{%- endmacro %}

{% macro snowflake__seconds_between(from_at, to_at) -%}
    (cast(timestampdiff(microsecond, {{ from_at }}, {{ to_at }}) as double) / 1000000)
{%- endmacro %}

{% macro bigquery__seconds_between(from_at, to_at) -%}
    (timestamp_diff({{ to_at }}, {{ from_at }}, microsecond) / 1000000)
{%- endmacro %}


{# Numbers of double precision, which dbt's own type_float would make single on DuckDB and Spark. #}
{% macro duckdb__type_float() %}double{% endmacro %}

{% macro spark__type_float() %}double{% endmacro %}


{# A decimal of more digits than money. BigQuery's decimal has 9 after the point and 29 before it at most. #}
{% macro wide_decimal(precision, scale) %}{{ return(adapter.dispatch('wide_decimal', 'mailroom')(precision, scale)) }}{% endmacro %}

{% macro default__wide_decimal(precision, scale) -%}
    decimal({{ precision }}, {{ scale }})
{%- endmacro %}

{% macro bigquery__wide_decimal(precision, scale) -%}
    bignumeric({{ precision }}, {{ scale }})
{%- endmacro %}


{% macro no_engine(macro_name) %}
    {{ exceptions.raise_compiler_error(
        "macros/engine: " ~ macro_name ~ " is not written for the adapter '" ~ target.type
        ~ "'. Add " ~ target.type ~ "__" ~ macro_name ~ " beside the others."
    ) }}
{% endmacro %}
