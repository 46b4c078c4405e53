-- Read out of the dbt graph, so that it can't differ from the segments' YAML. It is built anew with every new candidate:
-- depends_on: {{ ref('segment_candidates') }}
{%- set columns = {
    'segment': 'string', 'kind': 'string', 'label': 'string', 'description': 'string', 'owner': 'string',
    'refresh': 'string', 'minimum_size': 'bigint', 'min_expected_share': 'double', 'max_expected_share': 'double',
    'max_churn_share': 'double', 'dwell_days': 'bigint', 'has_band': 'boolean', 'receiving_because': 'string',
    'fields': 'string', 'hard_rules': 'string',
} %}
with entries as (
    select *
    from (
        values
        {%- for entry in segment_entries() %}
        (
            {%- for column in columns -%}
            {{ entry_literal(entry.get(column)) }}{{ ', ' if not loop.last }}
            {%- endfor -%}
        ){{ ',' if not loop.last }}
        {%- else %}
        ({% for column in columns %}null{{ ', ' if not loop.last }}{% endfor %})
        {%- endfor %}
    ) as entry_values ({{ columns | join(', ') }})
)

select
    {% for column, data_type in columns.items() -%}
    {%- set value = 'coalesce(' ~ column ~ ', false)' if data_type == 'boolean' else column -%}
    cast({{ value }} as {{ dbt.type_string() if data_type == 'string' else data_type }}) as {{ column }}{{ ',' if not loop.last }}
    {% endfor -%}
from entries
where segment is not null
