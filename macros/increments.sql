{#
Incremental builds. A model of a source's history keeps its older rows and builds the newest days again: the days since the
last build, and twice var `lateness_days` before them, because
- a row may arrive up to that many days after its event, and
- rows that belong together (copies of one event, events of a session) may be up to that many days apart.
Strategies (incremental_strategy), each in one transaction with the model's other statements:
- replace_newest, for events: replaces these days. It also reads lateness_days before the first of them, to have it complete.
  Needs event_time, the column that dates its rows. A row without a time is read and replaced in each build. With unique_key
  (a list), a back-fill also replaces rows of other days that have the key of a new row: a session may now begin elsewhere.
- replace_flawed, for the flagged rows of events (macros/staging/replaced_rows.sql): replaces these days, and the other rows of
  their keys.
- replace_moment, for measurements: replaces the rows of as_of(), and keeps those of other moments.
- replace_customers, for data attributed to customers: replaces these days, and every day of the customers in
  changed_customers.

    dbt build --event-time-start 2026-03-01 --event-time-end 2026-04-01     a back-fill: builds those days again instead
    dbt build --full-refresh                                                builds all days

meta.never_late, values by column: rows with one of them are read and replaced in each build, whatever their age.

A build as of a moment before the newest day builds everything again, because the days after that moment must go.
#}

{#
The days that this build replaces: {from, until} as texts, with until none for no end. None for all days.
The last build reached the newest event_time of the model. If its own rows are too few, undated or not only of the source,
meta.built_through names another: `<table>.<column>` of a table built from this one, in the same schema.
newest: a select of that day instead. model: the model whose rows are replaced, if not the calling one.
#}
{% macro replaced_days(newest=none, model=none) %}
    {#- A unit test has no `this`. -#}
    {%- if not execute or this is none -%}{{ return(none) }}{%- endif -%}
    {%- set is_kept = load_cached_relation(relation_of(model)) and not flags.FULL_REFRESH if model else is_incremental() -%}
    {%- if not is_kept -%}{{ return(none) }}{%- endif -%}
    {%- if not newest -%}
        {%- set meta = config.get('meta', {}) -%}
        {%- set table, column = meta.get('built_through', this.identifier ~ '.' ~ config.get('event_time')).split('.') -%}
        {%- set dated_relation = load_cached_relation(this.incorporate(path={'identifier': table})) -%}
        {%- if not dated_relation -%}{{ return(none) }}{%- endif -%}
        {%- set newest_day = column if column.endswith('_on') else day_of(column) -%}
        {%- set newest = 'select max(' ~ newest_day ~ ') as newest from ' ~ dated_relation -%}
    {%- endif -%}
    {%- set found = run_query(
        'select ' ~ date_add('day', -2 * var('lateness_days'), 'newest_on') ~ ', newest_on <= ' ~ as_of_day() ~ ' from '
        ~ '(select cast(newest as date) as newest_on from (' ~ newest ~ ') as newest_row) as newest_day'
    ).rows[0] -%}
    {{ return(requested_days((found[0] | string)[:10]) if found[1] else none) }}
{% endmacro %}


{#
The days of a back-fill, from dbt's own options, with var `lateness_days` on both sides for rows that belong together. In any
other build, the days since newest_from. A back-fill of days that were never built also begins there, so that no days in
between are skipped for good. Error: a time within a day.
#}
{% macro requested_days(newest_from) %}
    {%- if not invocation_args_dict.get('event_time_start') -%}{{ return({'from': newest_from, 'until': none}) }}{%- endif -%}
    {%- set days = {} -%}
    {%- for name, option, by in [('from', 'event_time_start', -1), ('until', 'event_time_end', 1)] -%}
        {%- set moment = invocation_args_dict[option] | string -%}
        {%- if not moment.endswith('00:00:00') -%}
            {{ exceptions.raise_compiler_error('--' ~ option | replace('_', '-') ~ ' ' ~ moment ~ ': a back-fill covers whole days. Give a date without a time.') }}
        {%- endif -%}
        {%- set day = modules.datetime.date.fromisoformat(moment[:10]) + modules.datetime.timedelta(days=by * var('lateness_days')) -%}
        {%- do days.update({name: day | string}) -%}
    {%- endfor -%}
    {%- if newest_from < days.until -%}
        {%- do days.update({'from': [days.from, newest_from] | min}) -%}
    {%- endif -%}
    {{ return(days) }}
{% endmacro %}


{# The relation of a model, for reading its rows of the last build without a dependency on it. #}
{% macro relation_of(model) %}
    {%- set node = graph.nodes.get('model.mailroom.' ~ model) if graph and graph.nodes else none -%}
    {%- if not node or not node.schema -%}{{ return(this) }}{%- endif -%}
    {{ return(api.Relation.create(database=node.database, schema=node.schema, identifier=node.alias)) }}
{% endmacro %}
