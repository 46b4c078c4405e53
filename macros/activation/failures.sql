{#
Records failures of dbt runs: one row per report about a node that the outbox depends on, including its tests and the
checks of how much of the sources was read. Called at the end of every run, so that mailroom push does not send an outbox
that a failure left outdated. Append-only: a node is failing if its last report says so.
#}
{% macro record_failures(results) %}
    {%- if execute and flags.WHICH in ('build', 'run', 'test', 'seed') and results -%}
        {%- set table = relation_of('sync_outbox').incorporate(path={'schema': generate_schema_name('internal', none) | trim, 'identifier': 'build_failures'}) -%}
        {%- do adapter.create_schema(table) -%}
        {%- set upstream = ['model.mailroom.sync_outbox', 'model.mailroom.sync_guards', 'model.mailroom.source_flaws'] -%}
        {%- for unique_id in upstream -%}
            {%- for parent in graph.nodes[unique_id].depends_on.nodes if parent in graph.nodes and parent not in upstream -%}
                {%- do upstream.append(parent) -%}
            {%- endfor -%}
        {%- endfor -%}
        {%- do run_query(
            'create table if not exists ' ~ table ~ ' (node ' ~ dbt.type_string() ~ ', is_failing boolean, reported_at timestamp)'
        ) -%}
        {%- set failing = run_query(failing_nodes(table)).columns[0].values() -%}
        {%- set now = "cast('" ~ run_started_at.strftime('%Y-%m-%d %H:%M:%S.%f') ~ "' as timestamp)" -%}
        {%- set reports = [] -%}
        {%- for result in results if result.node is not none and result.node.package_name == 'mailroom' -%}
            {%- set node = result.node -%}
            {#- Exposures run nothing, so a skipped one is no failure. A smaller build would never clear it. -#}
            {%- set has_failed = result.status in ('error', 'fail', 'runtime error', 'skipped') and node.resource_type != 'exposure' -%}
            {%- set rests_on = [node.unique_id] + ([] if node.resource_type == 'seed' else node.depends_on.nodes) -%}
            {%- if has_failed != (node.name in failing) and rests_on | select('in', upstream) | list -%}
                {%- do reports.append("('" ~ node.name ~ "', " ~ has_failed | lower ~ ', ' ~ now ~ ')') -%}
            {%- endif -%}
        {%- endfor -%}
        {%- if reports -%}{%- do run_query('insert into ' ~ table ~ ' values ' ~ reports | join(', ')) -%}{%- endif -%}
    {%- endif -%}
{% endmacro %}


{# Query of failures without a later success. push.failing() runs the same query. #}
{% macro failing_nodes(table) -%}
    select node from {{ table }} group by node
    having max(case when is_failing then reported_at end) > coalesce(max(case when not is_failing then reported_at end), cast('1900-01-01' as timestamp))
{%- endmacro %}
