{#
A select over one public table, with one row for the whole table and one per source: n_rows and, for the n-th column, filled_n,
valid_n, distinct_n and newest_n. entries: the table's fields from field_entries().
#}
{% macro field_totals(table, relation, entries) %}
    {%- if not execute -%}{{ return('select 1 as n_rows from ' ~ relation) }}{%- endif -%}
    {%- set model = graph.nodes['model.mailroom.' ~ table] -%}
    {%- set source = model.config.meta.get('source_column') -%}
    {%- set days = model.config.meta.get('checked_days') -%}
    {%- set dated_by = model.config.meta.get('field_defaults', {}).get('dated_by') -%}
    select
        '{{ table }}' as model_name,
        {% if source -%}
        case when grouping({{ source }}) = 1 then 'all' else coalesce({{ source }}, 'unknown') end as source,
        {%- else -%}
        'all' as source,
        {%- endif %}
        {%- for entry in entries %}
        {%- set name = entry.column_name %}
        count({{ name }}) as filled_{{ entry.column_number }},
        count(case when {{ is_valid_value(entry) }} then 1 end) as valid_{{ entry.column_number }},
        {{ approximate_distinct(name) }} as distinct_{{ entry.column_number }},
        {% if entry.dated_by and '.' not in entry.dated_by -%}
        max(case when {{ name }} is not null and {{ entry.dated_by ~ ' <= ' ~ as_of_day() | trim if entry.dated_by.endswith('_on') else 'cast(' ~ entry.dated_by ~ ' as timestamp) <= ' ~ as_of() }} then {{ entry.dated_by }} end)
        {%- else -%}
        cast(null as {{ dbt.type_timestamp() }})
        {%- endif %} as newest_{{ entry.column_number }},
        {%- endfor %}
        count(*) as n_rows
    from {{ relation }}
    {%- if days %}
    where {{ dated_by }} >= {{ date_add('day', -days, as_of()) }}
    {%- endif %}
    {%- if source %}
    group by rollup ({{ source }})
    {%- endif %}
{% endmacro %}


{# Error: a public table of the floors under quality is missing from the list. #}
{% macro check_none_missing(tables, entries) %}
    {%- for entry in entries if entry.floor in ['identity', 'customers'] and entry.model_name not in tables -%}
        {{ exceptions.raise_compiler_error("field_counts has no public table " ~ entry.model_name ~ ". Add it to the list in field_counts.sql.") }}
    {%- endfor -%}
{% endmacro %}


{#
The totals of a table, one row per field and source. They start from the dictionary's rows, so that an empty table keeps its
fields, and engines that run a CTE again at each mention read the table once.
#}
{% macro totals_by_field(table, entries) %}
    select
        dictionary.model_name,
        dictionary.column_name,
        {% if entries -%}
        coalesce(totals.source, 'all') as source,
        coalesce(totals.n_rows, 0) as n_rows,
        {% for measure in ['filled', 'valid', 'distinct'] -%}
        coalesce(case dictionary.column_name
            {%- for entry in entries %}
            when '{{ entry.column_name }}' then totals.{{ measure }}_{{ entry.column_number }}
            {%- endfor %}
        end, 0) as n_{{ measure }},
        {% endfor -%}
        case dictionary.column_name
            {%- for entry in entries %}
            when '{{ entry.column_name }}' then cast(totals.newest_{{ entry.column_number }} as {{ dbt.type_timestamp() }})
            {%- endfor %}
        end as newest_at
        {%- else -%}
        cast(null as {{ dbt.type_string() }}) as source,
        cast(null as bigint) as n_rows,
        cast(null as bigint) as n_filled,
        cast(null as bigint) as n_valid,
        cast(null as bigint) as n_distinct,
        cast(null as {{ dbt.type_timestamp() }}) as newest_at
        {%- endif %}
    from dictionary
    left join {{ table }}_totals as totals on dictionary.model_name = totals.model_name
    where dictionary.model_name = '{{ table }}'
{%- endmacro %}


{# A share as text in whole percent, rounded down so that a share below a threshold never shows as the threshold. #}
{% macro percent_text(share) -%}
    cast(cast(floor(100 * {{ share }} + 0.000001) as bigint) as {{ dbt.type_string() }}) || '%'
{%- endmacro %}


{# A number of days as text, rounded up so that an age over a limit never shows as the limit. #}
{% macro days_text(days) -%}
    cast(cast(ceil({{ days }}) as bigint) as {{ dbt.type_string() }}) || case when ceil({{ days }}) = 1 then ' day' else ' days' end
{%- endmacro %}
