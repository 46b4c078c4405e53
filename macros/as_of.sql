{# The only clock: var `as_of`, otherwise the demo's own moment, otherwise the start of this run. A timestamp in UTC. #}
{% macro as_of() -%}
    cast('{{ as_of_text() }}' as timestamp)
{%- endmacro %}

{% macro as_of_text() %}
    {% if var('as_of') %}{{ return(var('as_of')) }}{% endif %}
    {% if var('shop') == 'demo' %}{{ return(var('demo_as_of')) }}{% endif %}
    {{ return(run_started_at.strftime('%Y-%m-%d %H:%M:%S')) }}
{% endmacro %}


{# A moment in the shop's time zone (var time_zone). dbt 2.0 lists no zones, so an unknown one fails in the engine there. #}
{% macro shop_time(moment) -%}
    {%- set zone = var('time_zone') -%}
    {%- if zone == 'UTC' -%}
        {{ moment }}
    {%- elif zone not in (modules.pytz.all_timezones or [zone]) -%}
        {{ exceptions.raise_compiler_error('var time_zone: ' ~ zone ~ ' is not a time zone. Use an IANA name such as America/New_York.') }}
    {%- else -%}
        {{ local_time(moment, "'" ~ zone ~ "'") }}
    {%- endif -%}
{%- endmacro %}


{# The moment in UTC at which a day begins in the shop's time zone. day: a timestamp at midnight. #}
{% macro day_begins(day) -%}
    {{ day if var('time_zone') == 'UTC' else utc_time(day, "'" ~ var('time_zone') ~ "'") }}
{%- endmacro %}


{# The calendar day of a moment in the shop's time zone. #}
{% macro day_of(moment) -%}
    cast({{ shop_time(moment) | trim }} as date)
{%- endmacro %}


{#
Whether a moment has a time of day. cast_value() stores a day without a time as the midnight at which it begins for the shop.
#}
{% macro has_time(moment) -%}
    ({{ shop_time(moment) | trim }} <> {{ dbt.date_trunc('day', shop_time(moment) | trim) }})
{%- endmacro %}


{# The latest possible time of a moment: for a day without a time, its last second. #}
{% macro latest_at(moment) -%}
    case when {{ has_time(moment) }} then {{ moment }} else {{ date_add('second', 86399, moment) }} end
{%- endmacro %}


{# The day of as_of(), as SQL. #}
{% macro as_of_day() -%}
    {{ day_of(as_of()) }}
{%- endmacro %}


{# Calendar days from a moment to as_of(). #}
{% macro days_since(moment) -%}
    {{ date_diff(day_of(moment) | trim, as_of_day() | trim, 'day') }}
{%- endmacro %}
