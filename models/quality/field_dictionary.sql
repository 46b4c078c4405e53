-- Read out of the dbt graph, so that it can't differ from the columns' YAML; what the shop does not have, out of its sources.
{%- set fields = {
    'schema_name': 'string', 'model_name': 'string', 'column_name': 'string', 'column_number': 'bigint',
    'description': 'string', 'data_type': 'string', 'is_key': 'boolean', 'format': 'string', 'pattern': 'string',
    'at_least': 'double', 'at_most': 'double', 'accepted': 'string', 'empty_means': 'string',
    'source_of_truth': 'string', 'refresh': 'string', 'dated_by': 'string', 'max_staleness_days': 'bigint',
    'min_fill_share': 'double', 'pii': 'string', 'purposes': 'string',
} %}
{%- set absent_fields = {'model_name': 'string', 'column_name': 'string', 'not_given': 'string', 'given_by': 'string'} -%}
{%- set places = {} -%}
{%- for source_name, table_name in contract_tables() -%}
{%- do places.update({source_name ~ '.' ~ table_name: raw_place(source_name, table_name)}) -%}
{%- endfor -%}
{%- set entries = field_entries() -%}
{%- set by_name = {} -%}
{%- for entry in entries -%}
{%- do by_name.update({entry.model_name ~ '.' ~ entry.column_name: entry}) -%}
{%- endfor -%}
{#- A field that must be filled in every row is filled by its model, whatever the shop has. -#}
{%- set absent = [] -%}
{%- for entry in entries if entry.get('min_fill_share', 1) < 1 -%}
{%- set found = absent_sources(entry, by_name, places) -%}
{%- if found -%}
{%- do absent.append(dict(found, model_name=entry.model_name, column_name=entry.column_name)) -%}
{%- endif -%}
{%- endfor %}
with entries as (
    select * from {{ literal_rows(fields, entries) }}
),

absent as (
    select * from {{ literal_rows(absent_fields, absent) }}
)

select
    {% for field, data_type in fields.items() -%}
    cast(entries.{{ field }} as {{ sql_type(data_type) }}) as {{ field }},
    {% endfor -%}
    cast(absent.not_given as {{ dbt.type_string() }}) as not_given,
    cast(absent.given_by as {{ dbt.type_string() }}) as given_by
from entries
left join absent on entries.model_name = absent.model_name and entries.column_name = absent.column_name
where entries.column_name is not null
