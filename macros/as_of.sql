{# The only clock. A timestamp in UTC: var `as_of`, or the demo's own moment, or when this run started. #}
{% macro as_of() -%}
    cast('{{ as_of_text() }}' as timestamp)
{%- endmacro %}

{% macro as_of_text() %}
    {% if var('as_of') %}{{ return(var('as_of')) }}{% endif %}
    {% if var('shop') == 'demo' %}{{ return(var('demo_as_of')) }}{% endif %}
    {{ return(run_started_at.strftime('%Y-%m-%d %H:%M:%S')) }}
{% endmacro %}


{# Whether a moment says at which time of the day it was. Midnight to the second is how a day without a time arrives. #}
{% macro has_time(moment) -%}
    ({{ moment }} <> {{ dbt.date_trunc('day', moment) }})
{%- endmacro %}


{# The latest that a moment may have been: of a day without a time its last second. #}
{% macro latest_at(moment) -%}
    case when {{ has_time(moment) }} then {{ moment }} else {{ dbt.dateadd('second', 86399, moment) }} end
{%- endmacro %}


{#
The calendar day of a moment, in UTC, by the clocks of the shop (var time_zone). Midnight UTC is the day itself: so arrives
a day without a time. is_exact: of a moment that the machine's own clock gave, which is none.
#}
{% macro day_of(moment, is_exact=false) -%}
    {%- set zone = var('time_zone') -%}
    {%- if zone == 'UTC' -%}
        cast({{ moment }} as date)
    {%- elif zone not in modules.pytz.all_timezones -%}
        {{ exceptions.raise_compiler_error('var time_zone: ' ~ zone ~ ' is no time zone, such as America/New_York') }}
    {%- else -%}
        {%- set local_day = 'cast(' ~ local_time(moment, "'" ~ zone ~ "'") | trim ~ ' as date)' -%}
        {{ local_day if is_exact else 'case when ' ~ has_time(moment) | trim ~ ' then ' ~ local_day ~ ' else cast(' ~ moment ~ ' as date) end' }}
    {%- endif -%}
{%- endmacro %}


{# The day of as_of(), as SQL. #}
{% macro as_of_day() -%}
    {{ day_of(as_of(), is_exact=true) }}
{%- endmacro %}


{# Calendar days from a moment to as_of(). #}
{% macro days_since(moment) -%}
    {{ dbt.datediff(day_of(moment) | trim, as_of_day() | trim, 'day') }}
{%- endmacro %}
