-- Read from the dbt graph, so it always matches the segments' YAML. Rebuilt whenever the candidates are:
-- depends_on: {{ ref('segment_candidates') }}
{%- set columns = {
    'segment': 'string', 'kind': 'string', 'label': 'string', 'description': 'string', 'owner': 'string',
    'refresh': 'string', 'minimum_size': 'bigint', 'min_expected_share': 'double', 'max_expected_share': 'double',
    'max_churn_share': 'double', 'dwell_days': 'bigint', 'has_band': 'boolean', 'no_band': 'string', 'receiving_because': 'string',
    'fields': 'string', 'hard_rules': 'string',
} %}
with entries as (
    select * from {{ literal_rows(columns, segment_entries()) }}
)

select
    {% for column, data_type in columns.items() if column != 'hard_rules' -%}
    cast({{ 'coalesce(has_band, false)' if column == 'has_band' else column }} as {{ sql_type(data_type) }}) as {{ column }},
    {% endfor -%}
    cast(hard_rules as {{ dbt.type_string() }}) as hard_rules
from entries
where segment is not null
