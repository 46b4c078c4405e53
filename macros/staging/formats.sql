{# The time zone of a source's times that name none: its own, as its var may say, or else the shop's. #}
{% macro zone_of(source_name) %}
    {%- set origin = var(source_name) -%}
    {{ return((origin.time_zone if origin is mapping else none) or var('time_zone')) }}
{% endmacro %}


{#
A time at midnight UTC, which is how a day without a time arrives, as the midnight at which this day begins for the shop. Other
times stay.
#}
{% macro local_midnight(value, data_type) -%}
    {%- set moment = value | trim -%}
    {%- if data_type != 'timestamp' or var('time_zone') == 'UTC' -%}
        {{ moment }}
    {%- else -%}
        case when {{ moment }} = {{ dbt.date_trunc('day', moment) }} then {{ day_begins(moment) }} else {{ moment }} end
    {%- endif -%}
{%- endmacro %}


{#
How a table's texts are written if one alone can be read in two ways, by column. For a number the decimal mark: '.', ',',
'mixed', or if no text shows it 'money' or ''. For a time such as 07/25/2026 what comes first: 'month', 'day', or '' if no text
shows it, or both do. One query per table and run, for all its columns. Not for events, which are too many.
#}
{% macro ways_written(source_name, table_name) %}
    {%- set known, table = graph.setdefault('mailroom_ways_written', {}), source_name ~ '.' ~ table_name -%}
    {%- if not execute or table in ('web.events', 'esp.message_events') -%}{{ return({}) }}{%- endif -%}
    {%- if table not in known -%}
        {#- raw() may ask too, for the columns that mark a row as gone. -#}
        {%- do known.update({table: {}}) -%}
        {%- set columns, shown, ways = [], [], {} -%}
        {%- for column in raw_columns(source_name, table_name) if column.data_type.startswith(('decimal', 'double', 'timestamp', 'date')) -%}
            {%- if column.found.startswith(text_types()) -%}
                {%- do columns.append(column) -%}
                {%- do shown.extend((first_shown(column.name) if column.data_type in ('timestamp', 'date') else marks_shown(column.name)).values()) -%}
            {%- endif -%}
        {%- endfor -%}
        {%- if columns and (var(source_name) != 'demo' or load_cached_relation(raw_place(source_name, table_name).relation)) -%}
            {%- set row = run_query('select ' ~ shown | join(', ') ~ ' from ' ~ raw(source_name, table_name) ~ ' as source_rows').rows[0] -%}
            {%- for column in columns -%}
                {%- set one, other = row[2 * loop.index0], row[2 * loop.index0 + 1] -%}
                {%- if column.data_type in ('timestamp', 'date') -%}
                    {%- do ways.update({column.name: '' if one and other else 'month' if one else 'day' if other else ''}) -%}
                {%- else -%}
                    {%- set neither = 'money' if column.data_type == 'decimal(18,2)' else '' -%}
                    {%- do ways.update({column.name: 'mixed' if one and other else ',' if one else '.' if other else neither}) -%}
                {%- endif -%}
            {%- endfor -%}
        {%- endif -%}
        {%- do known.update({table: ways}) -%}
    {%- endif -%}
    {{ return(known[table]) }}
{% endmacro %}
