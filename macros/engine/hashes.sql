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
