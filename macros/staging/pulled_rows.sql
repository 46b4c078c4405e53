{#
The rows that mailroom pull fetched from ESPs for a contract table, as ` union all select …` for raw(), in the source's types.
Their keys begin with the destination's name, so that none equals a key of the source. Empty if there are none.
#}
{% macro pulled_rows(source_name, table_name, place) %}
    {%- set ledger = source_name ~ '_' ~ table_name -%}
    {%- if not ledger_columns(ledger) or is_ledger_empty(ledger) -%}{{ return('') }}{%- endif -%}
    {%- set expressions = [] -%}
    {%- for column in contract_columns(source_name, table_name) -%}
        {%- set found_type = place.types.get(column.name, 'absent') -%}
        {%- set type = sql_type(column.data_type) if found_type == 'absent' else found_type -%}
        {%- set name = column.meta.get('copy_of', column.name) -%}
        {%- set value = name if name in ledger_columns(ledger) else 'null' -%}
        {%- if column.data_type == 'timestamp' and value != 'null' -%}{%- set value = as_source_time(source_name, value, type) | trim -%}{%- endif -%}
        {%- do expressions.append('cast(' ~ value ~ ' as ' ~ type ~ ')') -%}
    {%- endfor -%}
    {%- if marks_found(source_name, table_name, place) -%}
        {%- do expressions.extend(['cast(null as ' ~ dbt.type_string() ~ ')', 'false']) -%}
    {%- endif -%}
    {{ return(' union all select ' ~ expressions | join(', ') ~ ' from ' ~ read_ledger(ledger)) }}
{% endmacro %}


{# A text of a time in UTC, in a source's type: as the source's local time if the type has no zone. #}
{% macro as_source_time(source_name, moment, type) -%}
    {%- set zone = zone_of(source_name) -%}
    {%- if zone == 'UTC' -%}{{ moment }}
    {%- elif type.startswith(text_types()) -%}{{ moment }} || 'Z'
    {%- elif has_no_zone(type) -%}{{ local_time('cast(' ~ moment ~ ' as timestamp)', "'" ~ zone ~ "'") }}
    {%- else -%}{{ moment }}
    {%- endif -%}
{%- endmacro %}
