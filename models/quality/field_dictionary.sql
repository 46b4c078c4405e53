-- Read out of the dbt graph, so that it can't differ from the columns' YAML.
{%- set entries = field_entries() %}
{%- set fields = {
    'schema_name': 'string', 'model_name': 'string', 'column_name': 'string', 'column_number': 'bigint',
    'description': 'string', 'data_type': 'string', 'is_key': 'boolean', 'format': 'string', 'pattern': 'string',
    'at_least': 'double', 'at_most': 'double', 'accepted': 'string', 'empty_means': 'string',
    'source_of_truth': 'string', 'refresh': 'string', 'dated_by': 'string', 'max_staleness_days': 'bigint',
    'min_fill_share': 'double', 'pii': 'string', 'purposes': 'string',
} %}
with entries as (
    select *
    from (
        values
        {%- for entry in entries %}
        (
            {%- for field in fields -%}
            {{ entry_literal(entry.get(field)) }}{{ ', ' if not loop.last }}
            {%- endfor -%}
        ){{ ',' if not loop.last }}
        {%- else %}
        ({% for field in fields %}null{{ ', ' if not loop.last }}{% endfor %})
        {%- endfor %}
    ) as entry_values ({{ fields | join(', ') }})
)

select
    {% for field, data_type in fields.items() -%}
    cast({{ field }} as {{ dbt.type_string() if data_type == 'string' else data_type }}) as {{ field }}{{ ',' if not loop.last }}
    {% endfor -%}
from entries
where column_name is not null
