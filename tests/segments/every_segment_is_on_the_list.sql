-- Every segment is on the list in segment_candidates.
{%- set on_the_list = graph.nodes['model.mailroom.segment_candidates'].depends_on.nodes if execute else [] %}
with segments as (
    {%- for entry in segment_entries() %}
    select
        '{{ entry.segment }}' as segment,
        {{ ('model.mailroom.' ~ entry.segment) in on_the_list }} as is_on_the_list
    {{ 'union all' if not loop.last }}
    {%- endfor %}
)

select * from segments
where not is_on_the_list
