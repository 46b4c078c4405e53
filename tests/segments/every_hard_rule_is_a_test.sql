-- Every hard rule that a segment names is a test in this folder.
{%- set tests = [] %}
{%- if execute %}
{%- for node in graph.nodes.values() if node.resource_type == 'test' and node.original_file_path.startswith('tests/segments/') %}
{%- do tests.append(node.name) %}
{%- endfor %}
{%- endif %}
with rules as (
    {%- for entry in segment_entries() %}
    {%- set is_last = loop.last %}
    {%- for rule in entry.hard_rules or ['none'] %}
    select
        '{{ entry.segment }}' as segment,
        '{{ rule }}' as hard_rule,
        {{ rule in tests }} as is_a_test
    {{ 'union all' if not (is_last and loop.last) }}
    {%- endfor %}
    {%- endfor %}
)

select * from rules
where not is_a_test
