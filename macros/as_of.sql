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
