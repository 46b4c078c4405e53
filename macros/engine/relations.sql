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


{# A ledger of mailroom push or pull as a relation with ledger_columns(); its folder may be empty, or not be there yet. #}
{% macro read_ledger(ledger) %}{{ return(adapter.dispatch('read_ledger', 'mailroom')(ledger)) }}{% endmacro %}

{% macro default__read_ledger(ledger) %}{{ no_engine('read_ledger') }}{% endmacro %}

{% macro duckdb__read_ledger(ledger) -%}
    {%- if is_ledger_empty(ledger) -%}
        (select {% for name, data_type in ledger_columns(ledger).items() %}cast(null as {{ data_type }}) as {{ name }}{{ ', ' if not loop.last }}{% endfor %} where false)
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


{% macro is_ledger_empty(ledger) %}{{ return(adapter.dispatch('is_ledger_empty', 'mailroom')(ledger)) }}{% endmacro %}

{% macro default__is_ledger_empty(ledger) %}{{ no_engine('is_ledger_empty') }}{% endmacro %}

{% macro duckdb__is_ledger_empty(ledger) %}
    {{ return(not execute or run_query("select count(*) from glob('" ~ activation_folder() ~ '/' ~ ledger ~ "/*.parquet')")[0][0] == 0) }}
{% endmacro %}

{% macro spark__is_ledger_empty(ledger) %}
    {{ return(not execute or run_query('select 1 from ' ~ read_ledger(ledger) ~ ' limit 1') | length == 0) }}
{% endmacro %}


{# The rows of a table for which the condition holds, replaced by those of another relation: both or neither happens. #}
{% macro replace_rows(relation, new_rows, condition) %}{{ return(adapter.dispatch('replace_rows', 'mailroom')(relation, new_rows, condition)) }}{% endmacro %}

{% macro default__replace_rows(relation, new_rows, condition) %}{{ no_engine('replace_rows') }}{% endmacro %}

{# A model is built in one transaction. #}
{% macro duckdb__replace_rows(relation, new_rows, condition) -%}
    delete from {{ relation }} where {{ condition }};
    insert into {{ relation }} by name select * from {{ new_rows }}
{%- endmacro %}

{#
Parquet takes no delete, so the rows that stay are copied into a new table beside the new ones. It takes the old one's
place by its name: a build that dies in between leaves no table, and the next one builds it whole.
#}
{% macro spark__replace_rows(relation, new_rows, condition) -%}
    {%- if config.get('file_format') == 'delta' -%}
        insert into {{ relation }} replace where {{ condition }} select * from {{ new_rows }}
    {%- else -%}
        {%- set swapped = relation.incorporate(path={'identifier': relation.identifier ~ '__new'}) -%}
        {%- set columns = adapter.get_columns_in_relation(relation) | map(attribute='name') | join(', ') -%}
        {%- do run_query('drop table if exists ' ~ swapped) -%}
        {%- do run_query(
            'create table ' ~ swapped ~ ' using ' ~ config.get('file_format', 'parquet') ~ ' as select ' ~ columns ~ ' from ' ~ relation
            ~ ' where not coalesce(' ~ condition ~ ', false) union all select ' ~ columns ~ ' from ' ~ new_rows
        ) -%}
        {%- do run_query('drop table ' ~ relation) -%}
        alter table {{ swapped }} rename to {{ relation }}
    {%- endif -%}
{%- endmacro %}

{# A table written as a whole by a hook, for which dbt has no model. #}
{% macro write_table(relation, query) %}{{ return(adapter.dispatch('write_table', 'mailroom')(relation, query)) }}{% endmacro %}

{% macro default__write_table(relation, query) %}{{ no_engine('write_table') }}{% endmacro %}

{% macro duckdb__write_table(relation, query) -%}
    create or replace table {{ relation }} as {{ query }}
{%- endmacro %}

{% macro spark__write_table(relation, query) -%}
    {%- do run_query('drop table if exists ' ~ relation) -%}
    create table {{ relation }} using {{ config.get('file_format', 'parquet') }} as {{ query }}
{%- endmacro %}

{# dbt-spark knows four strategies by name and refuses others. These two are its own, for the strategies that are used here. #}
{% macro dbt_spark_validate_get_incremental_strategy(raw_strategy, file_format) %}{{ return(raw_strategy) }}{% endmacro %}

{% macro dbt_spark_get_incremental_sql(strategy, source, target, existing, unique_key, incremental_predicates) %}
    {%- if strategy == 'append' -%}{{ return(get_insert_into_sql(source, target)) }}{%- endif -%}
    {{ return(context['get_incremental_' ~ strategy ~ '_sql']({'target_relation': target, 'temp_relation': source})) }}
{% endmacro %}
