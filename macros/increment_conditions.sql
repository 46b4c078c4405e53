{#
SQL: whether this build replaces a row, because it is of these days, has no time, or is never late (a condition).
is_read: whether it reads the row, which includes the days needed to build the others.
#}
{% macro is_replaced(event_time, days, is_read=false, never_late=none) -%}
    {%- if not days -%}{{ return('1 = 1') }}{%- endif -%}
    {{ return(
        '(' ~ event_time ~ ' is null or ' ~ (never_late ~ ' or ' if never_late else '') ~ is_since(event_time, days, is_read) ~ ')'
    ) }}
{%- endmacro %}

{# meta.never_late as a condition, or none. #}
{% macro is_never_late() -%}
    {%- set never_late = config.get('meta', {}).get('never_late') if execute -%}
    {{ return(is_any_of(never_late) if never_late else none) }}
{%- endmacro %}

{#
SQL: whether this build replaces a row that lasts from one moment to another. Its start decides. In a back-fill any part of it
does, unless it began before the days that are read.
#}
{% macro is_replaced_from_to(started_at, ended_at, days) -%}
    {%- if not days or not days.until -%}{{ return(is_replaced(started_at, days)) }}{%- endif -%}
    {%- set key = config.get('unique_key') | join(', ') -%}
    {{ return(
        '(' ~ is_since(ended_at, {'from': days.from, 'until': none}) ~ ' and ' ~ is_from(started_at, '<', days.until)
        ~ ' and not coalesce((' ~ key ~ ') in (select ' ~ key ~ ' from ' ~ this ~ ' where not '
        ~ is_since(started_at, {'from': days.from, 'until': none}, is_read=true) ~ '), false))'
    ) }}
{%- endmacro %}

{% macro is_since(event_time, days, is_read=false) -%}
    {%- set margin = modules.datetime.timedelta(days=var('lateness_days') if is_read else 0) -%}
    {%- set condition = is_from(event_time, '>=', modules.datetime.date.fromisoformat(days['from']) - margin) -%}
    {%- if days.until -%}
        {%- set condition = condition ~ ' and ' ~ is_from(event_time, '<', modules.datetime.date.fromisoformat(days.until) + margin) -%}
    {%- endif -%}
    {{ return(condition) }}
{%- endmacro %}

{#
SQL: whether a column is on one side of the beginning of a day, '>=' or '<'. A column …_on is compared as a date, any other
with the moment at which the day begins in the shop's time zone.
#}
{% macro is_from(event_time, side, day) -%}
    {%- if event_time.endswith('_on') -%}{{ return(event_time ~ ' ' ~ side ~ " cast('" ~ day ~ "' as date)") }}{%- endif -%}
    {{ return(event_time ~ ' ' ~ side ~ ' ' ~ day_begins("cast('" ~ day ~ "' as timestamp)") | trim) }}
{%- endmacro %}
