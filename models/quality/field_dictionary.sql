-- Read out of the dbt graph, so that it can't differ from the columns' YAML.
{%- set fields = {
    'schema_name': 'string', 'model_name': 'string', 'column_name': 'string', 'column_number': 'bigint',
    'description': 'string', 'data_type': 'string', 'is_key': 'boolean', 'format': 'string', 'pattern': 'string',
    'at_least': 'double', 'at_most': 'double', 'accepted': 'string', 'empty_means': 'string',
    'source_of_truth': 'string', 'refresh': 'string', 'dated_by': 'string', 'max_staleness_days': 'bigint',
    'min_fill_share': 'double', 'pii': 'string', 'purposes': 'string',
} %}
{%- set selected = [] -%}
{%- for field, data_type in fields.items() -%}
{%- do selected.append('cast(' ~ field ~ ' as ' ~ sql_type(data_type) ~ ') as ' ~ field) -%}
{%- endfor %}
with entries as (
    select * from {{ literal_rows(fields, field_entries()) }}
)

select
    {{ selected | join(',\n    ') }}
from entries
where column_name is not null
