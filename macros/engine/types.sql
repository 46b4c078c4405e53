{% macro parse_timestamp(expression) %}{{ return(adapter.dispatch('parse_timestamp', 'mailroom')(expression)) }}{% endmacro %}

{% macro default__parse_timestamp(expression) %}{{ no_engine('parse_timestamp') }}{% endmacro %}

{% macro duckdb__parse_timestamp(expression) -%}
    try_cast({{ expression }} as timestamptz) at time zone 'UTC'
{%- endmacro %}

{% macro spark__parse_timestamp(expression) -%}
    try_cast({{ expression }} as timestamp)
{%- endmacro %}


{% macro try_cast(expression, data_type) %}{{ return(adapter.dispatch('try_cast', 'mailroom')(expression, data_type)) }}{% endmacro %}

{% macro default__try_cast(expression, data_type) %}{{ no_engine('try_cast') }}{% endmacro %}

{% macro duckdb__try_cast(expression, data_type) -%}
    try_cast({{ expression }} as {{ data_type }})
{%- endmacro %}

{% macro spark__try_cast(expression, data_type) -%}
    try_cast({{ expression }} as {{ data_type }})
{%- endmacro %}


{% macro seconds_between(from_at, to_at) %}{{ return(adapter.dispatch('seconds_between', 'mailroom')(from_at, to_at)) }}{% endmacro %}

{% macro default__seconds_between(from_at, to_at) %}{{ no_engine('seconds_between') }}{% endmacro %}

{% macro duckdb__seconds_between(from_at, to_at) -%}
    (epoch({{ to_at }}) - epoch({{ from_at }}))
{%- endmacro %}

{% macro spark__seconds_between(from_at, to_at) -%}
    (cast({{ to_at }} as double) - cast({{ from_at }} as double))
{%- endmacro %}


{% macro no_engine(macro_name) %}
    {{ exceptions.raise_compiler_error(
        "macros/engine: " ~ macro_name ~ " is not written for the adapter '" ~ target.type
        ~ "'. Add " ~ target.type ~ "__" ~ macro_name ~ " beside the others."
    ) }}
{% endmacro %}
