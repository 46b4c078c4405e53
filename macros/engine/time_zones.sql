{# A text if it is a time zone that the engine knows, otherwise null: local_time and utc_time fail on any other. #}
{% macro known_time_zone(expression) -%}
    {%- set is_name = matches_pattern(expression, "^([A-Z][A-Za-z_]+(/[A-Za-z0-9_+-]+)+|UTC)$") | trim -%}
    case when {{ is_name }} and {{ is_known_time_zone(expression) | trim }} then {{ expression }} end
{%- endmacro %}


{% macro is_known_time_zone(expression) %}{{ return(adapter.dispatch('is_known_time_zone', 'mailroom')(expression)) }}{% endmacro %}

{% macro default__is_known_time_zone(expression) %}{{ no_engine('is_known_time_zone') }}{% endmacro %}

{% macro duckdb__is_known_time_zone(expression) -%}
    {{ expression }} in (select name from pg_timezone_names())
{%- endmacro %}

{% macro spark__is_known_time_zone(expression) -%}
    try_to_timestamp(concat('2000-01-01 00:00:00 ', {{ expression }}), 'yyyy-MM-dd HH:mm:ss VV') is not null
{%- endmacro %}

{# Snowflake has no list of zones to query and fails on an unknown name. #}
{% macro snowflake__is_known_time_zone(expression) -%}
    {{ expression }} in ('{{ modules.pytz.all_timezones | join("', '") }}')
{%- endmacro %}

{% macro bigquery__is_known_time_zone(expression) -%}
    safe.format_timestamp('%Y', timestamp_seconds(0), {{ expression }}) is not null
{%- endmacro %}


{# A time in UTC as local time. The zone is from known_time_zone, or null. #}
{% macro local_time(moment, time_zone) %}{{ return(adapter.dispatch('local_time', 'mailroom')(moment, time_zone)) }}{% endmacro %}

{% macro default__local_time(moment, time_zone) %}{{ no_engine('local_time') }}{% endmacro %}

{% macro duckdb__local_time(moment, time_zone) -%}
    ({{ moment }} at time zone 'UTC') at time zone {{ time_zone }}
{%- endmacro %}

{% macro spark__local_time(moment, time_zone) -%}
    from_utc_timestamp({{ moment }}, {{ time_zone }})
{%- endmacro %}

{% macro snowflake__local_time(moment, time_zone) -%}
    convert_timezone('UTC', {{ time_zone }}, {{ moment }})
{%- endmacro %}

{% macro bigquery__local_time(moment, time_zone) -%}
    timestamp(datetime({{ moment }}, {{ time_zone }}))
{%- endmacro %}


{# A local time as time in UTC. A time that the clocks skip counts as an hour later. #}
{% macro utc_time(local, time_zone) %}{{ return(adapter.dispatch('utc_time', 'mailroom')(local, time_zone)) }}{% endmacro %}

{% macro default__utc_time(local, time_zone) %}{{ no_engine('utc_time') }}{% endmacro %}

{% macro duckdb__utc_time(local, time_zone) -%}
    ({{ local }} at time zone {{ time_zone }}) at time zone 'UTC'
{%- endmacro %}

{% macro spark__utc_time(local, time_zone) -%}
    to_utc_timestamp({{ local }}, {{ time_zone }})
{%- endmacro %}

{% macro snowflake__utc_time(local, time_zone) -%}
    convert_timezone({{ time_zone }}, 'UTC', {{ local }})
{%- endmacro %}

{% macro bigquery__utc_time(local, time_zone) -%}
    timestamp(datetime({{ local }}), {{ time_zone }})
{%- endmacro %}


{# Whether a column's type has no time zone, so that its times are local times. #}
{% macro has_no_zone(found) %}{{ return(adapter.dispatch('has_no_zone', 'mailroom')(found)) }}{% endmacro %}

{% macro default__has_no_zone(found) %}{{ no_engine('has_no_zone') }}{% endmacro %}

{% macro duckdb__has_no_zone(found) %}{{ return('with time zone' not in found) }}{% endmacro %}

{# Spark's timestamp is a point in time. #}
{% macro spark__has_no_zone(found) %}{{ return(found.startswith(('timestamp_ntz', 'date'))) }}{% endmacro %}

{% macro snowflake__has_no_zone(found) %}{{ return(not found.startswith(('timestamp_tz', 'timestamp_ltz'))) }}{% endmacro %}

{% macro bigquery__has_no_zone(found) %}{{ return(found.startswith(('datetime', 'date'))) }}{% endmacro %}
