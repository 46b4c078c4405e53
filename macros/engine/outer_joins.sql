{# Stops a build on an engine that loses rows of outer joins. #}
{% macro check_outer_joins() %}
    {%- if execute and flags.WHICH in ('build', 'run', 'test') -%}
        {{- adapter.dispatch('check_outer_joins', 'mailroom')() -}}
    {%- endif -%}
{% endmacro %}

{% macro default__check_outer_joins() %}{% endmacro %}

{#
DuckDB 2.0.0 carries "is null" from one outer join into the next (rule outer_join_simplification, duckdb pull request 25211): the
query below, whose result is one row, gives none. So an opt-in that a system deleted stayed valid.
#}
{% macro duckdb__check_outer_joins() %}
    {%- set rows = run_query(
        "with kept(id) as (values ('a'), ('b')), known(id, reason) as (values ('a', null), ('b', 'deleted')), "
        "missing as (select kept.id from kept left join known on kept.id = known.id and known.reason is null where known.id is null) "
        "select missing.id from missing left join known on missing.id = known.id"
    ).rows -%}
    {%- if rows | length != 1 -%}
        {{ exceptions.raise_compiler_error(
            'This DuckDB loses rows of outer joins. In profiles.yml add outer_join_simplification to disabled_optimizers, under '
            ~ 'config_options of this target (docs/as-a-package.md, step 4)'
        ) }}
    {%- endif -%}
{% endmacro %}
