{#
Materialisation. The model selects the edges of a graph (left_id, right_id: bigint). The table holds one row per node with an
edge (node_id, component_id). component_id is one of the component's nodes.

Star contraction: each round folds every node into the smallest of itself and its neighbours, and redraws the edges between the
remaining nodes. The number of rounds grows with the logarithm of the longest chain, if node ids are spread at random (node_id()
does that). Plain SQL, so that it runs on any engine.
After Kiveris et al., "Connected Components in MapReduce and Beyond", SoCC 2014.
Error: more rounds than var `identity_max_rounds`.
#}
{% materialization connected_components, supported_languages=['sql'] %}
    {%- set target_relation = this.incorporate(type='table') -%}
    {%- set existing_relation = load_cached_relation(this) -%}
    {%- set step_relations = [] -%}
    {{ run_hooks(pre_hooks) }}

    {%- set edges = component_step(this, 'edges_0', step_relations) -%}
    {% call statement('edges') -%}
        {{ create_table_as(False, edges, "
            select distinct
                least(left_id, right_id) as left_id,
                greatest(left_id, right_id) as right_id
            from (" ~ sql ~ ") as model_edges
            where left_id <> right_id
        ") }}
    {%- endcall %}

    {%- set state = namespace(edges=edges, rounds=0, n_edges=count_rows(edges)) -%}
    {%- set folds = [] -%}
    {% for round in range(var('identity_max_rounds')) if state.n_edges > 0 or folds | length == 0 %}
        {%- if state.n_edges > 0 or folds | length == 0 -%}
        {%- set fold = component_step(this, 'fold_' ~ round, step_relations) -%}
        {% call statement('fold') -%}
            {{ create_table_as(False, fold, "
                select
                    node_id,
                    least(node_id, min(neighbour_id)) as parent_id
                from (
                    select left_id as node_id, right_id as neighbour_id from " ~ state.edges ~ "
                    union all
                    select right_id as node_id, left_id as neighbour_id from " ~ state.edges ~ "
                ) as both_ways
                group by node_id
            ") }}
        {%- endcall %}
        {%- do folds.append(fold) -%}
        {%- set edges = component_step(this, 'edges_' ~ (round + 1), step_relations) -%}
        {% call statement('edges') -%}
            {{ create_table_as(False, edges, "
                select distinct
                    least(left_fold.parent_id, right_fold.parent_id) as left_id,
                    greatest(left_fold.parent_id, right_fold.parent_id) as right_id
                from " ~ state.edges ~ " as edges
                inner join " ~ fold ~ " as left_fold on edges.left_id = left_fold.node_id
                inner join " ~ fold ~ " as right_fold on edges.right_id = right_fold.node_id
                where left_fold.parent_id <> right_fold.parent_id
            ") }}
        {%- endcall %}
        {%- set state.edges = edges -%}
        {%- set state.rounds = state.rounds + 1 -%}
        {%- set state.n_edges = count_rows(edges) -%}
        {%- endif -%}
    {% endfor %}
    {%- if state.n_edges > 0 -%}
        {{ exceptions.raise_compiler_error(
            this.identifier ~ ": " ~ state.n_edges ~ " edges are left after " ~ state.rounds
            ~ " rounds. Raise var identity_max_rounds."
        ) }}
    {%- endif -%}

    {%- if existing_relation is not none -%}{%- do adapter.drop_relation(existing_relation) -%}{%- endif -%}
    {% call statement('main') -%}
        {{ create_table_as(False, target_relation, fold_chain(folds)) }}
    {%- endcall %}
    {%- for relation in step_relations -%}{%- do adapter.drop_relation(relation) -%}{%- endfor -%}
    {%- do log(this.identifier ~ ": star contraction took " ~ state.rounds ~ " rounds", info=true) -%}

    {{ run_hooks(post_hooks) }}
    {{ adapter.commit() }}
    {{ return({'relations': [target_relation]}) }}
{% endmaterialization %}


{# The relation of one step. Drops a table of that name that a failed run left. #}
{% macro component_step(model_relation, step, step_relations) %}
    {%- set relation = api.Relation.create(
        database=model_relation.database, schema=model_relation.schema,
        identifier=model_relation.identifier ~ '__' ~ step, type='table'
    ) -%}
    {%- do adapter.drop_relation(relation) -%}
    {%- do step_relations.append(relation) -%}
    {{ return(relation) }}
{% endmacro %}


{% macro count_rows(relation) %}
    {{ return(run_query("select count(*) from " ~ relation).rows[0][0] | int) }}
{% endmacro %}


{# Each node with the end of its folds: its parent in the last round that has one. #}
{% macro fold_chain(folds) %}
select
    fold_0.node_id,
    coalesce({% for fold in folds | reverse %}fold_{{ loop.revindex0 }}.parent_id{{ ', ' if not loop.last }}{% endfor %}) as component_id
from {{ folds[0] }} as fold_0
{% for fold in folds[1:] -%}
{%- set before = loop.index -%}
left join {{ fold }} as fold_{{ loop.index }}
    on coalesce({% for step in range(before - 1, -1, -1) %}fold_{{ step }}.parent_id{{ ', ' if not loop.last }}{% endfor %}) = fold_{{ loop.index }}.node_id
{% endfor %}
{% endmacro %}
