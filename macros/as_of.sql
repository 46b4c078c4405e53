{# The only clock. A timestamp in UTC: var `as_of`, or the demo's own moment, or when this run started. #}
{% macro as_of() -%}
    cast('{{ as_of_text() }}' as timestamp)
{%- endmacro %}

{% macro as_of_text() %}
    {% if var('as_of') %}{{ return(var('as_of')) }}{% endif %}
    {% if var('shop') == 'demo' %}{{ return(var('demo_as_of')) }}{% endif %}
    {{ return(run_started_at.strftime('%Y-%m-%d %H:%M:%S')) }}
{% endmacro %}


{# A moment as the clocks of the shop show it (var time_zone). #}
{% macro shop_time(moment) -%}
    {%- set zone = var('time_zone') -%}
    {%- if zone == 'UTC' -%}
        {{ moment }}
    {%- elif zone not in modules.pytz.all_timezones -%}
        {{ exceptions.raise_compiler_error('var time_zone: ' ~ zone ~ ' is no time zone, such as America/New_York') }}
    {%- else -%}
        {{ local_time(moment, "'" ~ zone ~ "'") }}
    {%- endif -%}
{%- endmacro %}


{# The moment, in UTC, at which a day of the shop begins. day: a timestamp at midnight. #}
{% macro day_begins(day) -%}
    {{ day if var('time_zone') == 'UTC' else utc_time(day, "'" ~ var('time_zone') ~ "'") }}
{%- endmacro %}


{# The calendar day of a moment, by the clocks of the shop. #}
{% macro day_of(moment) -%}
    cast({{ shop_time(moment) | trim }} as date)
{%- endmacro %}


{#
Whether a moment says at which time of the day it was. A day without a time is the midnight with which it begins for the
shop: value_as() makes it so.
#}
{% macro has_time(moment) -%}
    ({{ shop_time(moment) | trim }} <> {{ dbt.date_trunc('day', shop_time(moment) | trim) }})
{%- endmacro %}


{# The latest that a moment may have been: of a day without a time its last second. #}
{% macro latest_at(moment) -%}
    case when {{ has_time(moment) }} then {{ moment }} else {{ dbt.dateadd('second', 86399, moment) }} end
{%- endmacro %}


{# The day of as_of(), as SQL. #}
{% macro as_of_day() -%}
    {{ day_of(as_of()) }}
{%- endmacro %}


{# Calendar days from a moment to as_of(). #}
{% macro days_since(moment) -%}
    {{ dbt.datediff(day_of(moment) | trim, as_of_day() | trim, 'day') }}
{%- endmacro %}
