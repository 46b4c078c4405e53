{#
Summarise a build in ten lines at most. The lines are printed at the end of the build. If it built source_reconciliation, they
are also kept in table build_summary (line_number, sentence, built_at) for mailroom show. A line appears only if this run built
its tables. Row keys and values that people typed are not shown.
#}
{% macro sum_up(results) %}
    {%- if execute and flags.WHICH in ('build', 'run') -%}
        {%- set built = {} -%}
        {%- for result in results if result.node is not none and result.status == 'success' and result.node.unique_id.startswith('model.mailroom.') -%}
            {%- do built.update({result.node.name: result.node.relation_name}) -%}
        {%- endfor -%}
        {%- set lines = (
            summary_of_rows(built) + summary_of_orders(built) + summary_of_flaws(built) + summary_of_words(built)
            + summary_of_customers(built) + summary_of_segments(built) + summary_of_signals(built) + summary_of_audiences(built)
        ) -%}
        {%- if lines -%}
            {%- set tables_to_check = [] -%}
            {%- for line in lines if line.to_check -%}{%- do tables_to_check.extend(line.to_check) -%}{%- endfor -%}
            {%- if tables_to_check -%}
                {%- do lines.append({'text': 'Next: check ' ~ tables_to_check | unique | join(', ') ~ ', e.g. mailroom sql "select * from ' ~ tables_to_check[0] ~ '"'}) -%}
            {%- endif -%}
            {%- if 'source_reconciliation' in built -%}{%- do keep_summary(lines) -%}{%- endif -%}
            {%- do log('', info=true) -%}
            {%- for line in lines -%}{%- do log(line.text, info=true) -%}{%- endfor -%}
        {%- endif -%}
    {%- endif -%}
{% endmacro %}


{# Replace table build_summary. #}
{% macro keep_summary(lines) %}
    {%- set table = target.schema ~ '.build_summary' -%}
    {%- set rows = [] -%}
    {%- for line in lines -%}
        {%- do rows.append({'line_number': loop.index, 'sentence': line.text}) -%}
    {%- endfor -%}
    {%- do run_query('drop table if exists ' ~ table) -%}
    {%- do run_query(
        'create table ' ~ table ~ ' as select line_number, sentence, ' ~ as_of() ~ ' as built_at from '
        ~ literal_rows({'line_number': 'integer', 'sentence': 'string'}, rows)
    ) -%}
{% endmacro %}


{# The rows of a query, each a mapping of its columns. No rows if this run did not build the tables. #}
{% macro built_rows(built, tables, query) %}
    {%- for table in tables if table not in built -%}{{ return([]) }}{%- endfor -%}
    {%- set rows = [] -%}
    {%- set found = run_query(query) -%}
    {%- for row in found.rows -%}
        {%- set values = {} -%}
        {%- for name in found.column_names -%}{%- do values.update({name | lower: row[loop.index0]}) -%}{%- endfor -%}
        {%- do rows.append(values) -%}
    {%- endfor -%}
    {{ return(rows) }}
{% endmacro %}


{# A whole number with commas, and its noun: 1 row, 30,864 rows. dbt 2.0 has no '{:,}'.format(). #}
{% macro count_text(n, thing=none, things=none) %}
    {%- set number = n | int | string | reverse | batch(3) | map('join') | join(',') | reverse -%}
    {{ return(number if thing is none else number ~ ' ' ~ (thing if n | int == 1 else things or thing ~ 's')) }}
{% endmacro %}


{# A share as text: 94.0%. Anything under 1 stays below 100.0%. #}
{% macro percentage_text(share) %}
    {{ return(('%.1f' | format([((1000 * (share | float) + 0.5) | int) / 10, 100 if (share | float) >= 1 else 99.9] | min)) ~ '%') }}
{% endmacro %}


{# The first three names of a list, and the number of the others. #}
{% macro first_names(names) %}
    {{ return(names[:3] | join(', ') ~ (' and ' ~ (names | length - 3) ~ ' more' if names | length > 3 else '')) }}
{% endmacro %}
