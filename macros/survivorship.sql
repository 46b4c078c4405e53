{#
Aggregate. The surviving value of one field among the records of a customer: from the first record type in the column's
config.meta.source_of_truth that has a value, the newest one.
Expects record_type and recency (a whole number, larger for newer records of a customer) in the rows.
given: the column with the records' values, if its name differs.
#}
{% macro survivor(model_name, field, given=none) -%}
    {%- set ranks = [] -%}
    {%- for record_type in sources_of_truth(model_name, field) -%}
        {%- do ranks.append("when '" ~ record_type ~ "' then " ~ loop.revindex) -%}
    {%- endfor -%}
    {{ value_at_max(given or field, "case record_type " ~ ranks | join(' ') ~ " else 0 end * 1000000 + recency", is_unique=true) }}
{%- endmacro %}


{# The record types that may fill a column, best first, from its YAML entry. #}
{% macro sources_of_truth(model_name, field) %}
    {%- if not execute -%}{{ return(['none']) }}{%- endif -%}
    {%- set column = graph.nodes['model.mailroom.' ~ model_name].columns.get(field) -%}
    {%- if not column or not column.config.meta.source_of_truth -%}
        {{ exceptions.raise_compiler_error(
            model_name ~ "." ~ field ~ " has no config.meta.source_of_truth. List the record types that may fill it, best first."
        ) }}
    {%- endif -%}
    {{ return(column.config.meta.source_of_truth) }}
{% endmacro %}


{# A text that sorts by time (to the second) and then by key, so that no two records tie on any engine. #}
{% macro recency_key(updated_at, record_key) -%}
    lpad(cast(cast(floor({{ seconds_between("cast('1900-01-01' as timestamp)", updated_at) }}) as bigint) as {{ dbt.type_string() }}), 12, '0')
    || {{ record_key }}
{%- endmacro %}
