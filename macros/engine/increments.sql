{# Replaces the rows of a table that meet a condition with those of another relation, all or nothing. #}
{% macro replace_rows(relation, new_rows, condition) %}{{ return(adapter.dispatch('replace_rows', 'mailroom')(relation, new_rows, condition)) }}{% endmacro %}

{% macro default__replace_rows(relation, new_rows, condition) %}{{ no_engine('replace_rows') }}{% endmacro %}

{# dbt builds a model in one transaction. #}
{% macro duckdb__replace_rows(relation, new_rows, condition) -%}
    delete from {{ relation }} where {{ condition }};
    insert into {{ relation }} by name select * from {{ new_rows }}
{%- endmacro %}

{#
Parquet supports no delete, so the remaining rows and the new ones are copied into a new table, which is then renamed. A build
that fails in between leaves no table, and the next build creates it in full. Delta and Iceberg replace a table in one step.
Delta also replaces rows, but not with a query in the condition. Iceberg replaces whole partitions only. new_rows is a view: if
the condition reads it too, it is materialised first.
#}
{% macro spark__replace_rows(relation, new_rows, condition) -%}
    {%- set file_format = config.get('file_format', 'parquet') -%}
    {%- set columns = adapter.get_columns_in_relation(relation) | map(attribute='name') | join(', ') -%}
    {%- if file_format == 'delta' and 'select ' not in condition -%}
        insert into {{ relation }} replace where {{ condition }} select {{ columns }} from {{ new_rows }}
    {%- else -%}
        {%- set written = relation.incorporate(path={'identifier': relation.identifier ~ '__rows'}) -%}
        {%- do run_query('drop table if exists ' ~ written) -%}
        {%- if new_rows | string in condition -%}
            {%- do run_query('create table ' ~ written ~ ' using ' ~ file_format ~ ' as select * from ' ~ new_rows) -%}
            {%- set condition = condition | replace(new_rows | string, written | string) -%}
            {%- set new_rows = written -%}
        {%- endif -%}
        {%- set all_rows = 'select ' ~ columns ~ ' from ' ~ relation ~ ' where not coalesce(' ~ condition ~ ', false) union all select '
            ~ columns ~ ' from ' ~ new_rows -%}
        {%- if file_format in ('delta', 'iceberg') -%}
            {%- do run_query('create or replace table ' ~ relation ~ ' using ' ~ file_format ~ ' as ' ~ all_rows) -%}
            drop table if exists {{ written }}
        {%- else -%}
            {%- set swapped = relation.incorporate(path={'identifier': relation.identifier ~ '__new'}) -%}
            {%- do run_query('drop table if exists ' ~ swapped) -%}
            {%- do run_query('create table ' ~ swapped ~ ' using ' ~ file_format ~ ' as ' ~ all_rows) -%}
            {%- do run_query('drop table if exists ' ~ written) -%}
            {%- do run_query('drop table ' ~ relation) -%}
            alter table {{ swapped }} rename to {{ relation }}
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}


{# Without an explicit transaction, Snowflake commits each statement. #}
{% macro snowflake__replace_rows(relation, new_rows, condition) -%}
    {%- set columns = adapter.get_columns_in_relation(relation) | map(attribute='quoted') | join(', ') -%}
    begin;
    delete from {{ relation }} where {{ condition }};
    insert into {{ relation }} ({{ columns }}) select {{ columns }} from {{ new_rows }};
    commit
{%- endmacro %}

{% macro bigquery__replace_rows(relation, new_rows, condition) -%}
    {%- set columns = adapter.get_columns_in_relation(relation) | map(attribute='quoted') | join(', ') -%}
    begin transaction;
    delete from {{ relation }} where {{ condition }};
    insert into {{ relation }} ({{ columns }}) select {{ columns }} from {{ new_rows }};
    commit transaction
{%- endmacro %}


{# A table that a hook writes in full and that has no dbt model. #}
{% macro write_table(relation, query) %}{{ return(adapter.dispatch('write_table', 'mailroom')(relation, query)) }}{% endmacro %}

{% macro default__write_table(relation, query) %}{{ no_engine('write_table') }}{% endmacro %}

{% macro duckdb__write_table(relation, query) -%}
    create or replace table {{ relation }} as {{ query }}
{%- endmacro %}

{% macro snowflake__write_table(relation, query) -%}
    create or replace table {{ relation }} as {{ query }}
{%- endmacro %}

{% macro bigquery__write_table(relation, query) -%}
    create or replace table {{ relation }} as {{ query }}
{%- endmacro %}

{% macro spark__write_table(relation, query) -%}
    {%- do run_query('drop table if exists ' ~ relation) -%}
    create table {{ relation }} using {{ config.get('file_format', 'parquet') }} as {{ query }}
{%- endmacro %}


{# dbt-spark accepts only four strategies. These two override its macros for the strategies that are used here. #}
{% macro dbt_spark_validate_get_incremental_strategy(raw_strategy, file_format) %}{{ return(raw_strategy) }}{% endmacro %}

{% macro dbt_spark_get_incremental_sql(strategy, source, target, existing, unique_key, incremental_predicates) %}
    {%- if strategy == 'append' -%}{{ return(get_insert_into_sql(source, target)) }}{%- endif -%}
    {{ return(context['get_incremental_' ~ strategy ~ '_sql']({'target_relation': target, 'temp_relation': source})) }}
{% endmacro %}
