{# The raw rows that a build which replaces these days must read. #}
{% macro newest_rows(table) %}
    {%- set dated_by = raw_value(table.source_name, table.table_name, event_time(table.source_name, table.table_name)) -%}
    {%- set is_kept = is_any_of_raw(table.source_name, table.table_name, table.never_late) if table.never_late -%}
    {{ return('(select * from ' ~ table.rows ~ ' as all_rows where ' ~ is_replaced(dated_by, table.days, is_read=true, never_late=is_kept) ~ ')') }}
{% endmacro %}


{#
The flagged rows that a build of these days replaces. If one row of a key is of these days, the other rows of the key are
flagged again with it, unless some of them are too old to be read.
#}
{% macro replaced_rows(table) -%}
{%- if table.days -%}
{%- set dated_by = event_time(table.source_name, table.table_name) -%}
dated_rows as (
    select
        *,
        max(case when {{ is_replaced(dated_by, table.days) }} then 1 else 0 end) over (
            partition by {{ table.key }}{{ ', ' ~ is_any_of(table.never_late) if table.never_late }}
        ) = 1 as is_key_of_these_days
    from flagged_rows
),

{% endif -%}
replaced_rows as (
    select * from {{ 'dated_rows' if table.days else 'flagged_rows' }}
    {%- if table.days %}
    where {{ is_replaced(dated_by, table.days, never_late=is_never_late()) }} or (is_key_of_these_days and {{ is_read_whole() }})
    {%- endif %}
)
{%- endmacro %}


{#
SQL: whether this build reads all rows of a row's key, in an incremental model of flagged rows. Rows that are never late have
keys of their own, and are read in any case.
#}
{% macro is_read_whole() -%}
    {%- set key, dated_by, days = config.get('unique_key'), config.get('event_time'), replaced_days() -%}
    {%- set and_may_be_late = ' and not ' ~ is_never_late() if is_never_late() else '' -%}
    {{ return(
        key ~ ' is not null and not coalesce(' ~ key ~ ' in (select ' ~ key ~ ' from ' ~ this ~ ' where not '
        ~ is_replaced(dated_by, days, is_read=true) ~ and_may_be_late ~ '), false)' ~ and_may_be_late
    ) }}
{%- endmacro %}


{# SQL: whether one of some columns has one of its values (values by column). before: an alias to put before each column. #}
{% macro is_any_of(values_by_column, before='') -%}
    {%- set conditions = [] -%}
    {%- for column, values in values_by_column.items() -%}
        {%- do conditions.append(before ~ column ~ " in ('" ~ values | join("', '") ~ "')") -%}
    {%- endfor -%}
    {{ return('coalesce(' ~ conditions | join(' or ') ~ ', false)') }}
{%- endmacro %}

{# The same in the raw rows of a table. #}
{% macro is_any_of_raw(source_name, table_name, values_by_column) -%}
    {%- set raw_values = {} -%}
    {%- for column, values in values_by_column.items() -%}
        {%- do raw_values.update({raw_value(source_name, table_name, column): values}) -%}
    {%- endfor -%}
    {{ return(is_any_of(raw_values)) }}
{%- endmacro %}
