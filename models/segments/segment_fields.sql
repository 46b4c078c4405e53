-- Read out of the dbt graph, as segment_catalog.
{%- set rows = [] -%}
{%- for entry in segment_entries() -%}
{%- for field in entry.fields -%}
{%- set model_name, column_name = field.split('.') -%}
{%- do rows.append({'segment': entry.segment, 'model_name': model_name, 'column_name': column_name}) -%}
{%- endfor -%}
{%- endfor %}
with entries as (
    select * from {{ literal_rows({'segment': 'string', 'model_name': 'string', 'column_name': 'string'}, rows) }}
)

select
    cast(segment as {{ dbt.type_string() }}) as segment,
    cast(model_name as {{ dbt.type_string() }}) as model_name,
    cast(column_name as {{ dbt.type_string() }}) as column_name
from entries
where segment is not null
