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
