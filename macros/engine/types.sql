{# Microseconds since 1970 as a timestamp. #}
{% macro time_of_micros(micros) %}{{ return(adapter.dispatch('time_of_micros', 'mailroom')(micros)) }}{% endmacro %}

{% macro default__time_of_micros(micros) %}{{ no_engine('time_of_micros') }}{% endmacro %}

{% macro duckdb__time_of_micros(micros) %}make_timestamp({{ micros }}){% endmacro %}

{% macro spark__time_of_micros(micros) %}timestamp_micros({{ micros }}){% endmacro %}

{% macro snowflake__time_of_micros(micros) %}to_timestamp_ntz({{ micros }}, 6){% endmacro %}

{% macro bigquery__time_of_micros(micros) %}timestamp_micros({{ micros }}){% endmacro %}


{# A value other than text, cast to another type. A fraction is rounded to a whole number: Spark's own cast would cut it. #}
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

{# Snowflake's try_cast accepts text only. #}
{% macro snowflake__cast_or_null(expression, data_type) -%}
    try_cast(cast({{ expression }} as string) as {{ data_type }})
{%- endmacro %}

{% macro bigquery__cast_or_null(expression, data_type) -%}
    safe_cast({{ expression }} as {{ sql_type(data_type) }})
{%- endmacro %}


{% macro timestamp_in_utc(expression) %}{{ return(adapter.dispatch('timestamp_in_utc', 'mailroom')(expression)) }}{% endmacro %}

{% macro default__timestamp_in_utc(expression) %}{{ no_engine('timestamp_in_utc') }}{% endmacro %}

{# DuckDB allows no space before an offset. #}
{% macro duckdb__timestamp_in_utc(expression) -%}
    try_cast(replace(replace({{ expression }}, ' +', '+'), ' -', '-') as timestamptz) at time zone 'UTC'
{%- endmacro %}

{# Spark shows a timestamp in the session's zone, which profiles.yml sets to UTC. #}
{% macro spark__timestamp_in_utc(expression) -%}
    try_cast({{ expression }} as timestamp)
{%- endmacro %}

{# An offset needs a colon and no space before it. Text without an offset would be read in the session's zone. #}
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

{# BigQuery needs seconds, a colon in an offset and no space before it, and reads six digits of a second. #}
{% macro bigquery__timestamp_in_utc(expression) -%}
    {%- set closed_up = "replace(replace(" ~ expression ~ ", ' +', '+'), ' -', '-')" -%}
    {%- set with_colon = "regexp_replace(" ~ closed_up ~ ", r'([+-][0-9]{2})([0-9]{2})$', r'\\1:\\2')" -%}
    {%- set cut = "regexp_replace(" ~ with_colon ~ ", r'([.][0-9]{6})[0-9]+', r'\\1')" -%}
    safe_cast(regexp_replace({{ cut }}, r'^(.{13}:[0-9]{2})$', r'\1:00') as timestamp)
{%- endmacro %}


{# Double precision. dbt.type_float() is single precision on DuckDB and Spark. #}
{% macro double_type() %}{{ return(adapter.dispatch('double_type', 'mailroom')()) }}{% endmacro %}

{% macro default__double_type() %}double{% endmacro %}

{% macro snowflake__double_type() %}float{% endmacro %}

{% macro bigquery__double_type() %}float64{% endmacro %}


{# A decimal with more digits than money. BigQuery's decimal has at most 29 digits before the point and 9 after it. #}
{% macro wide_decimal(precision, scale) %}{{ return(adapter.dispatch('wide_decimal', 'mailroom')(precision, scale)) }}{% endmacro %}

{% macro default__wide_decimal(precision, scale) -%}
    decimal({{ precision }}, {{ scale }})
{%- endmacro %}

{% macro bigquery__wide_decimal(precision, scale) -%}
    bignumeric({{ precision }}, {{ scale }})
{%- endmacro %}


{% macro no_engine(macro_name) %}
    {{ exceptions.raise_compiler_error(
        "macros/engine: " ~ macro_name ~ " is not implemented for the adapter '" ~ target.type
        ~ "'. Add " ~ target.type ~ "__" ~ macro_name ~ " beside the others."
    ) }}
{% endmacro %}
