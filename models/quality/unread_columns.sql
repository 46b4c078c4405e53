-- Columns of the sources' tables that the contract does not know, so that no model reads them.
{% set found = [] %}
{% for source_name, table_name in contract_tables() %}
{% set place = raw_place(source_name, table_name) %}
{% if execute %}
{% set known = (contract_columns(source_name, table_name) | map(attribute='name') | list) + (place.names.values() | list if place.names else []) %}
{% for name in place.types if name not in known %}
{% set meant = [] %}
{% for wanted, near in (place.unread or {}).items() if name in near %}{% do meant.append(wanted) %}{% endfor %}
{% do found.append([source_name, table_name, name | replace("'", "''"), place.types[name], meant | join(', ')]) %}
{% endfor %}
{% endif %}
{% endfor %}
{% set text = dbt.type_string() %}
with found as (
    {% for source_name, table_name, name, type, meant in found -%}
    select
        '{{ source_name }}' as source_name,
        '{{ table_name }}' as table_name,
        '{{ name }}' as column_name,
        '{{ type | replace("'", "''") }}' as data_type,
        {{ "'" ~ meant ~ "'" if meant else 'cast(null as ' ~ text ~ ')' }} as looks_like
    union all
    {% endfor -%}
    select
        cast(null as {{ text }}) as source_name,
        cast(null as {{ text }}) as table_name,
        cast(null as {{ text }}) as column_name,
        cast(null as {{ text }}) as data_type,
        cast(null as {{ text }}) as looks_like
)

select * from found
where column_name is not null
