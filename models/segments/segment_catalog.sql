-- Read from the dbt graph, so it always matches the segments' YAML. Rebuilt whenever the candidates are:
-- depends_on: {{ ref('segment_candidates') }}
{%- set columns = {
    'segment': 'string', 'kind': 'string', 'label': 'string', 'description': 'string', 'owner': 'string',
    'refresh': 'string', 'minimum_size': 'bigint', 'min_expected_share': 'double', 'max_expected_share': 'double',
    'max_churn_share': 'double', 'dwell_days': 'bigint', 'has_band': 'boolean', 'no_band': 'string', 'receiving_because': 'string',
    'fields': 'string', 'hard_rules': 'string',
} %}
{%- set expressions = [] -%}
{%- for column, data_type in columns.items() -%}
{%- set value = 'coalesce(' ~ column ~ ', false)' if data_type == 'boolean' else column -%}
{%- do expressions.append('cast(' ~ value ~ ' as ' ~ sql_type(data_type) ~ ') as ' ~ column) -%}
{%- endfor %}
with entries as (
    select * from {{ literal_rows(columns, segment_entries()) }}
)

select
    {{ expressions | join(',\n    ') }}
from entries
where segment is not null
