{# The only clock. A timestamp in UTC: var `as_of`, or the demo's own moment, or when this run started. #}
{% macro as_of() -%}
    cast('{{ as_of_text() }}' as timestamp)
{%- endmacro %}

{% macro as_of_text() %}
    {% if var('as_of') %}{{ return(var('as_of')) }}{% endif %}
    {% if var('shop') == 'demo' %}{{ return(var('demo_as_of')) }}{% endif %}
    {{ return(run_started_at.strftime('%Y-%m-%d %H:%M:%S')) }}
{% endmacro %}
