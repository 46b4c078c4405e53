{# The columns of a contract table in order, each {name, data_type, meta}, from the source YAML. #}
{% macro contract_columns(source_name, table_name) %}
    {%- set columns = [] -%}
    {%- for column in contract(source_name, table_name).columns.values() -%}
        {%- do columns.append({
            'name': column.name, 'data_type': column.data_type, 'meta': column.config.get('meta', {})
        }) -%}
    {%- endfor -%}
    {{ return(columns) }}
{% endmacro %}


{% macro contract(source_name, table_name) %}
    {%- set id = 'source.mailroom.' ~ source_name ~ '.' ~ table_name -%}
    {%- if id not in graph.sources -%}{{ exceptions.raise_compiler_error("no source contract for " ~ source_name ~ "." ~ table_name) }}{%- endif -%}
    {{ return(graph.sources[id]) }}
{% endmacro %}


{# A contract type in this engine's words. #}
{% macro sql_type(data_type) %}
    {{ return({'text': dbt.type_string(), 'string': dbt.type_string(), 'double': double_type()}.get(data_type, data_type)) }}
{% endmacro %}


{# Whether a found column type can stand for a contract type: the same family, or text that is parsed. #}
{% macro can_be(found, wanted) %}
    {%- set families = {
        'text': ['varchar', 'text', 'string', 'char', 'int', 'long', 'bigint', 'uuid', 'decimal', 'double', 'float', 'real', 'number',
            'numeric', 'enum'],
        'timestamp': ['timestamp', 'date', 'int', 'long', 'decimal', 'double', 'float', 'number', 'numeric'],
        'date': ['date', 'timestamp'],
        'integer': ['int', 'long', 'decimal', 'double', 'float', 'number', 'numeric'],
        'decimal': ['decimal', 'double', 'float', 'int', 'long', 'real', 'number', 'numeric'],
        'boolean': ['bool', 'int']
    } -%}
    {%- if '[' in found or 'struct' in found or 'map' in found or 'array' in found -%}{{ return(false) }}{%- endif -%}
    {%- if found.startswith(text_types()) -%}{{ return(true) }}{%- endif -%}
    {%- for family in families[wanted.split('(')[0]] -%}
        {%- if family in found -%}{{ return(true) }}{%- endif -%}
    {%- endfor -%}
    {{ return(false) }}
{% endmacro %}


{# The name of a contract table's primary key column. #}
{% macro contract_key(source_name, table_name) %}
    {%- for column in contract_columns(source_name, table_name) if column.meta.key -%}{{ return(column.name) }}{%- endfor -%}
{% endmacro %}


{# How the engines name text, as prefixes. #}
{% macro text_types() %}
    {{ return(('varchar', 'text', 'string', 'char')) }}
{% endmacro %}
