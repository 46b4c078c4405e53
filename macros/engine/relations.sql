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

{#
CSV files on DuckDB. DuckDB's own errors print the line, and dbt writes them to the log. So each file is checked first: DuckDB
keeps its errors in a table of the session, and the message names only file, line and kind of error. A file with wrong quotes or
columns is an error, because DuckDB's own detection may silently read such a file in another way.
dbt's graph is shared by all nodes of a run. It holds the result per path, so that a run reads each file once.
#}
{% macro checked_csv(path, table, names) %}
    {%- if not execute -%}{{ return("read_csv('" ~ path ~ "')") }}{%- endif -%}
    {%- set read_paths = graph.setdefault('mailroom_csv_files', {}) -%}
    {%- if path not in read_paths -%}
        {%- set forms = {} -%}
        {%- for row in run_query("select file from glob('" ~ path ~ "') order by file") -%}
            {%- set form = csv_form(row[0], table, names) -%}
            {%- do forms.setdefault(form, []).append(dbt.string_literal(dbt.escape_single_quotes(row[0]))) -%}
        {%- endfor -%}
        {%- if not forms -%}{{ exceptions.raise_compiler_error((table ~ ': ' if table) ~ 'No files found that match ' ~ path) }}{%- endif -%}
        {%- set relations = [] -%}
        {%- for form, files in forms.items() -%}
            {%- do relations.append('read_csv([' ~ files | join(', ') ~ '], header = true, ' ~ form ~ ')') -%}
        {%- endfor -%}
        {%- do read_paths.update({
            path: relations[0] if relations | length == 1 else '(from ' ~ relations | join(' union all by name from ') ~ ')'
        }) -%}
    {%- endif -%}
    {{ return(read_paths[path]) }}
{% endmacro %}

{#
The format of a CSV file, as options of read_csv: its separator (the most frequent one in the first line), its columns, all
text, and the escape character. Errors: an unreadable line, by file and line.
#}
{% macro csv_form(file, table, wanted) %}
    {%- set literal = dbt.string_literal(dbt.escape_single_quotes(file)) -%}
    {%- set heading_query -%}
        with heading as (
            select
                line,
                list_max(list_transform(
                    [',', ';', chr(9), '|'],
                    lambda mark: {'n': len(string_split(regexp_replace(line, '"[^"]*"', '', 'g'), mark)), 'mark': mark}
                )).mark as mark
            from read_csv(
                {{ literal }}, auto_detect = false, header = false, delim = chr(31), quote = '', escape = '',
                ignore_errors = true, strict_mode = false, columns = {'line': 'varchar'}
            )
            limit 1
        ),

        names as (
            select
                mark,
                regexp_extract_all(mark || line, '[' || mark || ']("(?:[^"]|"")*"|[^' || mark || ']*)', 1) as quoted
            from heading
        )

        select
            mark,
            to_json(list_transform(
                quoted, lambda name: trim(replace(regexp_extract(trim(name), '^("?)(.*?)("?)$', 2), '""', '"'))
            ))
        from names
    {%- endset -%}
    {%- set heading = run_query(heading_query) -%}
    {%- set mark = heading[0][0] if heading else ',' -%}
    {%- set names = [] if heading else ['column0'] -%}
    {%- for name in (fromjson(heading[0][1]) if heading else []) -%}
        {#- The names that DuckDB gives to unnamed and repeated columns. -#}
        {%- set name = name or 'column' ~ loop.index0 -%}
        {%- do names.append(name if name | lower not in names | map('lower') else name ~ '_' ~ loop.index0) -%}
    {%- endfor -%}
    {%- set ways = [] -%}
    {%- for escape in ['"', '\\'] if not ways or ways[0].faults -%}
        {%- set form = "auto_detect = false, delim = '" ~ mark ~ "', quote = '\"', escape = '" ~ escape ~ "', columns = " -%}
        {%- do ways.append({'form': form, 'faults': csv_faults(literal, form ~ csv_columns(range(names | length)))}) -%}
    {%- endfor -%}
    {%- if ways[-1].faults -%}
        {%- set line, kind, n_lines = ways[0].faults -%}
        {{ csv_error(file, table, line, kind | lower ~ (' (and ' ~ (n_lines - 1) ~ ' more lines with errors)' if n_lines > 1)) }}
    {%- endif -%}
    {%- set bare = [] -%}
    {%- for name in wanted -%}{%- do bare.append(bare_name(name)) -%}{%- endfor -%}
    {%- set known = [] -%}
    {%- for name in names if bare_name(name) in bare -%}{%- do known.append(name) -%}{%- endfor -%}
    {%- if wanted and not known -%}
        {{ csv_error(file, table, 1, "none of the table's columns is in the header. The first line of a file must hold the column names") }}
    {%- endif -%}
    {{ return(ways[-1].form ~ csv_columns(names)) }}
{% endmacro %}

{% macro csv_error(file, table, line, words) %}
    {{ exceptions.raise_compiler_error(
        (table ~ ': ' if table) ~ file ~ ', line ' ~ line ~ ': ' ~ words
        ~ '. The line is not printed, because it may contain personal data.'
    ) }}
{% endmacro %}

{# The first unreadable line of a file, its error and the number of such lines, or none. #}
{% macro csv_faults(literal, form) %}
    {%- set tables = "rejects_table = 'mailroom_csv_errors', rejects_scan = 'mailroom_csv_scans'" -%}
    {#- Selects every column, because DuckDB does not check the others. The header is checked like any line. -#}
    {%- do run_query('select count(columns(*)) from read_csv(' ~ literal ~ ', header = false, store_rejects = true, ' ~ tables ~ ', ' ~ form ~ ')') -%}
    {%- set fault = run_query(
        'select min(line), arg_min(error_type, (line, column_idx)), count(distinct line) from mailroom_csv_errors'
    )[0] -%}
    {%- do run_query('drop table mailroom_csv_errors') -%}
    {%- do run_query('drop table mailroom_csv_scans') -%}
    {{ return((fault[0], fault[1], fault[2]) if fault[2] else none) }}
{% endmacro %}

{# The option `columns` of read_csv: names, all of them text. #}
{% macro csv_columns(names) %}
    {%- set column_types = [] -%}
    {%- for name in names -%}
        {%- do column_types.append(dbt.string_literal(dbt.escape_single_quotes(name | string)) ~ ": 'varchar'") -%}
    {%- endfor -%}
    {{ return('{' ~ column_types | join(', ') ~ '}') }}
{% endmacro %}

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


{# A ledger of mailroom push or pull as a relation with ledger_columns(). Its folder may be empty or missing. #}
{% macro read_ledger(ledger) %}{{ return(adapter.dispatch('read_ledger', 'mailroom')(ledger)) }}{% endmacro %}

{% macro default__read_ledger(ledger) %}{{ no_engine('read_ledger') }}{% endmacro %}

{% macro duckdb__read_ledger(ledger) -%}
    {%- if is_ledger_empty(ledger) -%}
        {{ no_ledger(ledger) }}
    {%- else -%}
        (
            select * from {{ no_ledger(ledger) }} as of_an_earlier_version
            union all by name
            select * from read_parquet('{{ activation_folder() }}/{{ ledger }}/*.parquet', union_by_name = true)
        )
    {%- endif -%}
{%- endmacro %}

{% macro spark__read_ledger(ledger) -%}
    {%- set table = target.schema ~ '.ledger_' ~ ledger -%}
    {%- if execute -%}
        {%- set folder = activation_folder() ~ '/' ~ ledger -%}
        {#- Spark resolves a relative folder from its database's location. -#}
        {%- if not folder.startswith('/') and '://' not in folder -%}
            {%- set folder = invocation_args_dict.project_dir ~ '/' ~ folder -%}
        {%- endif -%}
        {%- set column_types = [] -%}
        {%- for name, data_type in ledger_columns(ledger).items() -%}{%- do column_types.append(name ~ ' ' ~ data_type) -%}{%- endfor -%}
        {%- do run_query('create table if not exists ' ~ table ~ ' (' ~ column_types | join(', ') ~ ") using parquet location '" ~ folder ~ "'") -%}
        {%- do run_query('refresh table ' ~ table) -%}
    {%- endif -%}
    {{ table }}
{%- endmacro %}

{# mailroom push and pull do not support Snowflake and BigQuery yet: their ledgers are local files, which neither can read. #}
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


{#
Rows given by name as a relation, for `from`. columns maps names to types. No rows give one row of nulls, to be filtered out.
#}
{% macro literal_rows(columns, rows) %}{{ return(adapter.dispatch('literal_rows', 'mailroom')(columns, rows or [{}])) }}{% endmacro %}

{% macro default__literal_rows(columns, rows) -%}
    (
        values
        {%- for row in rows %}
        ({{ row_literals(columns, row) }}){{ ',' if not loop.last }}
        {%- endfor %}
    ) as entry_values ({{ columns | join(', ') }})
{%- endmacro %}

{# BigQuery has no values clause. #}
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
