{# The keys of several rows. #}
{% macro duplicate_keys(table) -%}
duplicate_keys as (
    select
        {{ table.key_value }} as {{ table.key }}
        {{- ', ' ~ is_any_of_raw(table.source_name, table.table_name, table.never_late) ~ ' as is_never_late' if table.never_late }}
    from {{ table.rows }} as source_rows
    group by 1{{ ', 2' if table.never_late }}
    having count(*) > 1
)
{%- endmacro %}


{#
The rows with something to note. Of rows that share a key the newest is kept, the others are rejected. If a mark ends the key
(macros/staging/marks.sql), all its rows are rejected, unless one is newer than the mark.
#}
{% macro flagged_rows(table) -%}
{%- set key, never_late = table.key, table.never_late -%}
{%- set is_good = 'validated_rows.reject_reason is null' -%}
{%- if table.has_marks -%}{%- set is_good = '(' ~ is_good ~ ' or validated_rows.ends_key)' -%}{%- endif -%}
{%- set duplicate_reason = "'" ~ key ~ " is a duplicate'" -%}
ranked_rows as (
    select
        validated_rows.*,
        row_number() over (
            partition by validated_rows.{{ key }}, {{ is_good }}{{ ', ' ~ is_any_of(never_late, 'validated_rows.') if never_late }}
            order by {{ newest_first(table) }}
        ) as copy_number
    from validated_rows
    left join duplicate_keys
        on validated_rows.{{ key }} = duplicate_keys.{{ key }}{{ ' and ' ~ is_any_of(never_late, 'validated_rows.') ~ ' = duplicate_keys.is_never_late' if never_late }}
    where
        duplicate_keys.{{ key }} is not null
        or validated_rows.has_odd_id
        or validated_rows.reject_reason is not null
        or validated_rows.blanked_columns is not null
        or validated_rows.unmapped_words is not null
),

{% if table.has_marks -%}
marked_rows as (
    select
        *,
        max(case when copy_number = 1 and ends_key then reject_reason end) over (
            partition by {{ key }}{{ ', ' ~ is_any_of(never_late) if never_late }}
        ) as key_ended_because
    from ranked_rows
),

{% endif -%}
flagged_rows as (
    select
        {% for column in table.columns -%}
        {{ column.name }},
        {% endfor -%}
        case
            when reject_reason is null and copy_number > 1 then {{ 'coalesce(key_ended_because, ' ~ duplicate_reason ~ ')' if table.has_marks else duplicate_reason }}
            else reject_reason
        end as reject_reason,
        blanked_columns,
        refused_values,
        unmapped_words
    from {{ 'marked_rows' if table.has_marks else 'ranked_rows' }}
)
{%- endmacro %}


{#
The order of a key's rows: updated_at, the time of the event, then all other columns, so that no two builds differ. A mark that
ends the key comes first, unless a row is newer.
#}
{% macro newest_first(table) -%}
    {%- set is_dated = 'updated_at' in table.columns | map(attribute='name') -%}
    {%- set newest, others = [], [] -%}
    {%- if table.has_marks and is_dated -%}{%- do newest.append('(validated_rows.ends_key and validated_rows.updated_at is null) desc') -%}{%- endif -%}
    {%- if is_dated -%}{%- do newest.append('validated_rows.updated_at desc nulls last') -%}{%- endif -%}
    {%- if table.has_marks -%}{%- do newest.append('validated_rows.ends_key desc') -%}{%- endif -%}
    {%- for column in table.columns if not column.meta.key and column.name != 'updated_at' -%}
        {%- do (newest if column.meta.event_time else others).append('validated_rows.' ~ column.name ~ (' desc' if column.meta.event_time) ~ ' nulls last') -%}
    {%- endfor -%}
    {{ (newest + others) | join(', ') }}
{%- endmacro %}


{# The rows with nothing to note and a key of their own, as typed_rows has them. #}
{% macro clean_rows(table) -%}
{%- set key, never_late = table.key, table.never_late -%}
clean_rows as (
    select
        {% for column in table.columns -%}
        typed_rows.{{ column.name }},
        {% endfor -%}
        cast(null as {{ dbt.type_string() }}) as reject_reason,
        cast(null as {{ dbt.type_string() }}) as blanked_columns,
        cast(null as {{ dbt.type_string() }}) as refused_values,
        cast(null as {{ dbt.type_string() }}) as unmapped_words
    from typed_rows
    left join (select distinct {{ key }}{{ ', ' ~ is_any_of(never_late) ~ ' as is_never_late' if never_late }} from {{ table.flagged_rows or 'flagged_rows' }}) as flagged_keys
        on typed_rows.{{ key }} = flagged_keys.{{ key }}{{ ' and ' ~ is_any_of(never_late, 'typed_rows.') ~ ' = flagged_keys.is_never_late' if never_late }}
    where
        typed_rows.{{ key }} is not null
        and flagged_keys.{{ key }} is null
        {%- if table.flagged_rows %}
        and not {{ is_odd_id('typed_rows.' ~ key) }}
        {%- endif %}
)
{%- endmacro %}
