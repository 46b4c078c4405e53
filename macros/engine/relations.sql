{% macro read_files(path) %}{{ return(adapter.dispatch('read_files', 'mailroom')(path)) }}{% endmacro %}

{% macro default__read_files(path) %}{{ no_engine('read_files') }}{% endmacro %}

{% macro duckdb__read_files(path) -%}
    {%- if '.csv' in path -%}
        read_csv('{{ path }}', header = true, all_varchar = true, union_by_name = true)
    {%- else -%}
        read_parquet('{{ path }}', union_by_name = true)
    {%- endif -%}
{%- endmacro %}

{% macro spark__read_files(path) -%}
    {%- if '.csv' in path -%}
        {%- set view = 'mailroom_csv_' ~ local_md5(path) -%}
        {%- do run_query(
            "create or replace temporary view " ~ view ~ " using csv options (path '" ~ path
            ~ "', header 'true', multiLine 'true', escape '\"')"
        ) if execute -%}
        {{ view }}
    {%- else -%}
        parquet.`{{ path }}`
    {%- endif -%}
{%- endmacro %}


{% macro relation_columns(relation) %}{{ return(adapter.dispatch('relation_columns', 'mailroom')(relation)) }}{% endmacro %}

{% macro default__relation_columns(relation) %}{{ no_engine('relation_columns') }}{% endmacro %}

{% macro duckdb__relation_columns(relation) %}
    {% set columns = [] %}
    {% for row in run_query('describe select * from ' ~ relation) %}
        {% do columns.append({'name': row[0], 'type': row[1] | lower}) %}
    {% endfor %}
    {{ return(columns) }}
{% endmacro %}

{% macro spark__relation_columns(relation) %}
    {% set columns = [] %}
    {% for row in run_query('describe query select * from ' ~ relation) %}
        {% do columns.append({'name': row[0], 'type': row[1] | lower}) %}
    {% endfor %}
    {{ return(columns) }}
{% endmacro %}
