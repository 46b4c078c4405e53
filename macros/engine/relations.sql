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

{% macro snowflake__relation_columns(relation) %}{{ return(columns_by_adapter(relation)) }}{% endmacro %}

{% macro bigquery__relation_columns(relation) %}{{ return(columns_by_adapter(relation)) }}{% endmacro %}

{% macro columns_by_adapter(relation) %}
    {% set columns = [] %}
    {% for column in adapter.get_columns_in_relation(relation) %}
        {% do columns.append({'name': column.name, 'type': column.data_type | lower}) %}
    {% endfor %}
    {{ return(columns) }}
{% endmacro %}


{# A raw column's name, quoted, because it may be a SQL keyword. Snowflake stores unquoted names in capitals. #}
{% macro quoted_column(name) %}{{ return(adapter.dispatch('quoted_column', 'mailroom')(name)) }}{% endmacro %}

{% macro default__quoted_column(name) %}{{ return(adapter.quote(name)) }}{% endmacro %}

{% macro snowflake__quoted_column(name) %}{{ return(adapter.quote(name | upper)) }}{% endmacro %}


{% macro delete_rows(relation, condition) %}{{ return(adapter.dispatch('delete_rows', 'mailroom')(relation, condition)) }}{% endmacro %}

{% macro default__delete_rows(relation, condition) %}{{ no_engine('delete_rows') }}{% endmacro %}

{# dbt rolls a run-operation back unless it commits. dbt may already have a transaction open. #}
{% macro duckdb__delete_rows(relation, condition) -%}
    {%- do adapter.ensure_transaction() -%}
    {%- do run_query('delete from ' ~ relation ~ ' where ' ~ condition) -%}
    {%- do adapter.commit() -%}
{%- endmacro %}

{# Tables are Parquet, which supports no delete. #}
{% macro spark__delete_rows(relation, condition) -%}
    {{ exceptions.raise_compiler_error(
        relation ~ " is Parquet, so Spark cannot delete rows from it. Write the rows to keep into a new table (create table … as "
        ~ "select … where not coalesce(" ~ condition ~ ", false)), drop the old one and rename the new one. Or keep the ledgers "
        ~ "in Delta or Iceberg, which support deletes."
    ) }}
{%- endmacro %}

{% macro snowflake__delete_rows(relation, condition) -%}
    {%- do run_query('delete from ' ~ relation ~ ' where ' ~ condition) -%}
{%- endmacro %}

{% macro bigquery__delete_rows(relation, condition) -%}
    {%- do run_query('delete from ' ~ relation ~ ' where ' ~ condition) -%}
{%- endmacro %}


{#
The keyword after `as` of a CTE that is read more than once. DuckDB keeps its rows in any case. The keyword skips the planner
step that decides so (cte_inlining: 0.8 of 1.0 seconds in a base model of 13,000 characters).
#}
{% macro kept_cte() %}{{ return(adapter.dispatch('kept_cte', 'mailroom')()) }}{% endmacro %}

{% macro default__kept_cte() %}{{ no_engine('kept_cte') }}{% endmacro %}

{% macro duckdb__kept_cte() %}{{ return('materialized ') }}{% endmacro %}

{% macro spark__kept_cte() %}{{ return('') }}{% endmacro %}

{% macro snowflake__kept_cte() %}{{ return('') }}{% endmacro %}

{% macro bigquery__kept_cte() %}{{ return('') }}{% endmacro %}


{# Commits an operation: dbt opens a transaction for it and leaves it open. #}
{% macro commit() %}{{ return(adapter.dispatch('commit', 'mailroom')()) }}{% endmacro %}

{# Each statement commits itself. #}
{% macro default__commit() %}{% endmacro %}

{% macro duckdb__commit() %}
    {%- do run_query('select 1') -%}
    {%- call statement('commit', auto_begin=false) -%}commit{%- endcall -%}
{% endmacro %}
