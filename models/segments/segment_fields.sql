-- Read out of the dbt graph, as segment_catalog.
with entries as (
    select *
    from (
        values
        {%- for entry in segment_entries() %}
        {%- set is_last = loop.last %}
        {%- for field in entry.fields %}
        ('{{ entry.segment }}', '{{ field.split(".")[0] }}', '{{ field.split(".")[1] }}'){{ ',' if not (is_last and loop.last) }}
        {%- endfor %}
        {%- else %}
        (null, null, null)
        {%- endfor %}
    ) as entry_values (segment, model_name, column_name)
)

select
    cast(segment as {{ dbt.type_string() }}) as segment,
    cast(model_name as {{ dbt.type_string() }}) as model_name,
    cast(column_name as {{ dbt.type_string() }}) as column_name
from entries
where segment is not null
