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

{% macro snowflake__read_files(path) -%}
    {{ exceptions.raise_compiler_error(
        "Snowflake reads no files of a path: load " ~ path ~ " into tables named as in the contract, or make external "
        ~ "tables over a stage, and set the source's var to {schema: …}."
    ) }}
{%- endmacro %}

{% macro bigquery__read_files(path) -%}
    {{ exceptions.raise_compiler_error(
        "BigQuery reads no files of a path: load " ~ path ~ " into tables named as in the contract, or make external "
        ~ "tables over a bucket, and set the source's var to {schema: …}."
    ) }}
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

{% macro snowflake__relation_columns(relation) %}{{ return(columns_by_adapter(relation)) }}{% endmacro %}

{% macro bigquery__relation_columns(relation) %}{{ return(columns_by_adapter(relation)) }}{% endmacro %}

{% macro columns_by_adapter(relation) %}
    {% set columns = [] %}
    {% for column in adapter.get_columns_in_relation(relation) %}
        {% do columns.append({'name': column.name, 'type': column.data_type | lower}) %}
    {% endfor %}
    {{ return(columns) }}
{% endmacro %}


{# A raw column's name, quoted, since it may be a word of SQL. Snowflake keeps names that nobody quoted in capitals. #}
{% macro quoted_column(name) %}{{ return(adapter.dispatch('quoted_column', 'mailroom')(name)) }}{% endmacro %}

{% macro default__quoted_column(name) %}{{ return(adapter.quote(name)) }}{% endmacro %}

{% macro snowflake__quoted_column(name) %}{{ return(adapter.quote(name | upper)) }}{% endmacro %}


{% macro delete_rows(relation, condition) %}{{ return(adapter.dispatch('delete_rows', 'mailroom')(relation, condition)) }}{% endmacro %}

{% macro default__delete_rows(relation, condition) %}{{ no_engine('delete_rows') }}{% endmacro %}

{# A run-operation is rolled back unless it commits. #}
{% macro duckdb__delete_rows(relation, condition) -%}
    {%- do run_query('begin') -%}
    {%- do run_query('delete from ' ~ relation ~ ' where ' ~ condition) -%}
    {%- do run_query('commit') -%}
{%- endmacro %}

{# Tables are Parquet, which takes no delete. #}
{% macro spark__delete_rows(relation, condition) -%}
    {{ exceptions.raise_compiler_error(
        relation ~ " is Parquet, and Spark can't delete rows of it. Write the rows you keep into a new table (create table … as "
        ~ "select … where not coalesce(" ~ condition ~ ", false)), drop the old one and rename the new; or keep the ledgers "
        ~ "in Delta or Iceberg and delete there."
    ) }}
{%- endmacro %}

{% macro snowflake__delete_rows(relation, condition) -%}
    {%- do run_query('delete from ' ~ relation ~ ' where ' ~ condition) -%}
{%- endmacro %}

{% macro bigquery__delete_rows(relation, condition) -%}
    {%- do run_query('delete from ' ~ relation ~ ' where ' ~ condition) -%}
{%- endmacro %}


{# A ledger of mailroom push or pull as a relation with ledger_columns(); its folder may be empty, or not be there yet. #}
{% macro read_ledger(ledger) %}{{ return(adapter.dispatch('read_ledger', 'mailroom')(ledger)) }}{% endmacro %}

{% macro default__read_ledger(ledger) %}{{ no_engine('read_ledger') }}{% endmacro %}

{% macro duckdb__read_ledger(ledger) -%}
    {%- if is_ledger_empty(ledger) -%}
        {{ no_ledger(ledger) }}
    {%- else -%}
        read_parquet('{{ activation_folder() }}/{{ ledger }}/*.parquet', union_by_name = true)
    {%- endif -%}
{%- endmacro %}

{% macro spark__read_ledger(ledger) -%}
    {%- set table = target.schema ~ '.ledger_' ~ ledger -%}
    {%- if execute -%}
        {%- set folder = activation_folder() ~ '/' ~ ledger -%}
        {#- Spark takes a relative folder from where its database lies. -#}
        {%- if not folder.startswith('/') and '://' not in folder -%}
            {%- set folder = invocation_args_dict.project_dir ~ '/' ~ folder -%}
        {%- endif -%}
        {%- set typed = [] -%}
        {%- for name, data_type in ledger_columns(ledger).items() -%}{%- do typed.append(name ~ ' ' ~ data_type) -%}{%- endfor -%}
        {%- do run_query('create table if not exists ' ~ table ~ ' (' ~ typed | join(', ') ~ ") using parquet location '" ~ folder ~ "'") -%}
        {%- do run_query('refresh table ' ~ table) -%}
    {%- endif -%}
    {{ table }}
{%- endmacro %}

{# mailroom push and pull don't work with these two yet: their ledgers are files here, which neither can read. #}
{% macro snowflake__read_ledger(ledger) %}{{ return(no_ledger(ledger)) }}{% endmacro %}

{% macro bigquery__read_ledger(ledger) %}{{ return(no_ledger(ledger)) }}{% endmacro %}

{% macro no_ledger(ledger) -%}
    (select {% for name, data_type in ledger_columns(ledger).items() %}cast(null as {{ data_type }}) as {{ name }}{{ ', ' if not loop.last }}{% endfor %} from (select 1 as one) as nothing where 1 = 0)
{%- endmacro %}


{% macro is_ledger_empty(ledger) %}{{ return(adapter.dispatch('is_ledger_empty', 'mailroom')(ledger)) }}{% endmacro %}

{% macro default__is_ledger_empty(ledger) %}{{ no_engine('is_ledger_empty') }}{% endmacro %}

{% macro duckdb__is_ledger_empty(ledger) %}
    {{ return(not execute or run_query("select count(*) from glob('" ~ activation_folder() ~ '/' ~ ledger ~ "/*.parquet')")[0][0] == 0) }}
{% endmacro %}

{% macro spark__is_ledger_empty(ledger) %}
    {{ return(not execute or run_query('select 1 from ' ~ read_ledger(ledger) ~ ' limit 1') | length == 0) }}
{% endmacro %}

{% macro snowflake__is_ledger_empty(ledger) %}{{ return(true) }}{% endmacro %}

{% macro bigquery__is_ledger_empty(ledger) %}{{ return(true) }}{% endmacro %}


{# Rows given by name as a relation, for `from`: columns maps names to types. Of no rows, one of nulls; so leave that out. #}
{% macro literal_rows(columns, rows) %}{{ return(adapter.dispatch('literal_rows', 'mailroom')(columns, rows or [{}])) }}{% endmacro %}

{% macro default__literal_rows(columns, rows) -%}
    (
        values
        {%- for row in rows %}
        ({{ row_literals(columns, row) }}){{ ',' if not loop.last }}
        {%- endfor %}
    ) as entry_values ({{ columns | join(', ') }})
{%- endmacro %}

{# BigQuery has no values. #}
{% macro bigquery__literal_rows(columns, rows) -%}
    unnest(array<struct<
        {%- for name, data_type in columns.items() %}{{ name }} {{ sql_type(data_type) }}{{ ', ' if not loop.last }}{% endfor -%}
    >>[
        {%- for row in rows %}
        ({{ row_literals(columns, row) }}){{ ',' if not loop.last }}
        {%- endfor %}
    ]) as entry_values
{%- endmacro %}

{% macro row_literals(columns, row) -%}
    {%- for name in columns %}{{ entry_literal(row.get(name)) }}{{ ', ' if not loop.last }}{% endfor -%}
{%- endmacro %}
