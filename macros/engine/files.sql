{#
Files as a relation, for `from`. table: the table's name, for errors. names: columns of which each file must have at least one,
because otherwise its first line is not a header. Errors on DuckDB: an unreadable line of a CSV file, by file and line.
#}
{% macro read_files(path, table='', names=[]) %}{{ return(adapter.dispatch('read_files', 'mailroom')(path, table, names)) }}{% endmacro %}

{% macro default__read_files(path, table, names) %}{{ no_engine('read_files') }}{% endmacro %}

{% macro duckdb__read_files(path, table, names) -%}
    {%- if '.csv' in path -%}
        {{ return(checked_csv(path, table, names)) }}
    {%- else -%}
        read_parquet('{{ path }}', union_by_name = true)
    {%- endif -%}
{%- endmacro %}


{% macro spark__read_files(path, table, names) -%}
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

{% macro snowflake__read_files(path, table, names) -%}
    {{ exceptions.raise_compiler_error(
        "Snowflake does not read files from a path. Load " ~ path ~ " into tables named as in the contract, or create "
        ~ "external tables over a stage. Then set the source's var to {schema: …}."
    ) }}
{%- endmacro %}

{% macro bigquery__read_files(path, table, names) -%}
    {{ exceptions.raise_compiler_error(
        "BigQuery does not read files from a path. Load " ~ path ~ " into tables named as in the contract, or create "
        ~ "external tables over a bucket. Then set the source's var to {schema: …}."
    ) }}
{%- endmacro %}
