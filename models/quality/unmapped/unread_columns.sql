{% set marks = [] %}
{% for mark in var('row_marks') %}{% for how in ['if_true', 'if_false', 'if_delete'] %}
{% for name in mark.get(how, []) %}{% do marks.append(bare_name(name)) %}{% endfor %}
{% endfor %}{% endfor %}
{% set unread = [] %}
{% for source_name, table_name in contract_tables() %}
{% set place = raw_place(source_name, table_name) %}
{% if execute %}
{% set known = (contract_columns(source_name, table_name) | map(attribute='name') | list) + (place.names.values() | list if place.names else []) %}
{% for name in place.types if name not in known and bare_name(name) not in marks %}
{% set similar = [] %}
{% for wanted, near in (place.unread or {}).items() if name in near %}{% do similar.append(wanted) %}{% endfor %}
{% do unread.append([source_name, table_name, name | replace("'", "''"), place.types[name], similar | join(', ')]) %}
{% endfor %}
{% endif %}
{% endfor %}
{% set text = dbt.type_string() %}
with unread_columns as (
    {% for source_name, table_name, name, type, similar in unread -%}
    select
        '{{ source_name }}' as source_name,
        '{{ table_name }}' as table_name,
        '{{ name }}' as column_name,
        '{{ type | replace("'", "''") }}' as data_type,
        {{ "'" ~ similar ~ "'" if similar else 'cast(null as ' ~ text ~ ')' }} as looks_like
    union all
    {% endfor -%}
    select
        cast(null as {{ text }}) as source_name,
        cast(null as {{ text }}) as table_name,
        cast(null as {{ text }}) as column_name,
        cast(null as {{ text }}) as data_type,
        cast(null as {{ text }}) as looks_like
)

select * from unread_columns
where column_name is not null
