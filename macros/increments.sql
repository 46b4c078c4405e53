{#
Increments. A model of a source's history keeps what is done and builds the newest of it again: the days since it was last
built, and twice var `lateness_days` before them, because
- a row may arrive so many days after what it tells of, and
- rows that belong together (copies of one event, a session's events) may lie so many days apart.
Strategies (incremental_strategy), each in one transaction with whatever else the model does:
- replace_newest, for events: replaces these days. To see the first of them whole, the model reads the lateness before it too.
  Needs event_time, the column that dates its rows. A row without a time is read and replaced in each build. With unique_key
  (a list), a back-fill replaces rows of other days too, where a new one has their key: a session may begin elsewhere now.
- replace_flawed, for what flawed() makes: these days, and the other rows of their keys.
- replace_moment, for what each build measures: replaces the rows of as_of(), and keeps those of other moments.
- replace_customers, for what is attributed to customers: replaces these days, and every day of the customers that
  changed_customers lists.

    dbt build --event-time-start 2026-03-01 --event-time-end 2026-04-01     builds those days again instead: a back-fill
    dbt build --full-refresh                                                builds all of them

meta.never_late, values by column: rows with one of them are read and replaced in each build, however old they are.

A build as of a moment before the newest day builds everything again: the days after that moment must go.
#}

{#
Which days this build replaces: {from, until} as texts, until none where it is open; none for all of them.
The last build came as far as the newest event_time of the model. Where its own rows are too few to say, or others than the
source's are among them, or it has none that are dated, meta.built_through says it: `<table>.<column>` of a table built from
this one, in its schema.
newest: a select of that instead. model: the model whose rows are replaced, if it is another than the one that asks.
#}
{% macro replaced_days(newest=none, model=none) %}
    {#- A unit test has no `this`. -#}
    {%- if not execute or this is none -%}{{ return(none) }}{%- endif -%}
    {%- set is_kept = load_cached_relation(relation_of(model)) and not flags.FULL_REFRESH if model else is_incremental() -%}
    {%- if not is_kept -%}{{ return(none) }}{%- endif -%}
    {%- if not newest -%}
        {%- set meta = config.get('meta', {}) -%}
        {%- set told = meta.get('built_through', this.identifier ~ '.' ~ config.get('event_time')).split('.') -%}
        {%- set teller = load_cached_relation(this.incorporate(path={'identifier': told[0]})) -%}
        {%- if not teller -%}{{ return(none) }}{%- endif -%}
        {%- set newest_day = told[1] if told[1].endswith('_on') else day_of(told[1]) -%}
        {%- set newest = 'select max(' ~ newest_day ~ ') as newest from ' ~ teller -%}
    {%- endif -%}
    {%- set found = run_query(
        'select ' ~ dbt.dateadd('day', -2 * var('lateness_days'), 'newest_on') ~ ', newest_on <= ' ~ as_of_day() ~ ' from '
        ~ '(select cast(newest as date) as newest_on from (' ~ newest ~ ') as newest_row) as newest_day'
    ).rows[0] -%}
    {{ return(asked_for_days((found[0] | string)[:10]) if found[1] else none) }}
{% endmacro %}


{#
The days of a back-fill, from dbt's own options, and var `lateness_days` around them: what belongs to a row may lie there.
In any other build, those since newest_from. A back-fill of days that were never built begins there too, or those in
between would be passed over for good. Error: a time within a day.
#}
{% macro asked_for_days(newest_from) %}
    {%- if not invocation_args_dict.get('event_time_start') -%}{{ return({'from': newest_from, 'until': none}) }}{%- endif -%}
    {%- set days = {} -%}
    {%- for name, option, by in [('from', 'event_time_start', -1), ('until', 'event_time_end', 1)] -%}
        {%- set moment = invocation_args_dict[option] | string -%}
        {%- if not moment.endswith('00:00:00') -%}
            {{ exceptions.raise_compiler_error('--' ~ option | replace('_', '-') ~ ' ' ~ moment ~ ': a back-fill is of whole days') }}
        {%- endif -%}
        {%- set day = modules.datetime.date.fromisoformat(moment[:10]) + modules.datetime.timedelta(days=by * var('lateness_days')) -%}
        {%- do days.update({name: day | string}) -%}
    {%- endfor -%}
    {%- if newest_from < days.until -%}
        {%- do days.update({'from': [days.from, newest_from] | min}) -%}
    {%- endif -%}
    {{ return(days) }}
{% endmacro %}


{# Where a model is, or will be, for those who read what it held before this build: no edge leads back to it. #}
{% macro relation_of(model) %}
    {%- set node = graph.nodes.get('model.mailroom.' ~ model) if graph and graph.nodes else none -%}
    {%- if not node or not node.schema -%}{{ return(this) }}{%- endif -%}
    {{ return(api.Relation.create(database=node.database, schema=node.schema, identifier=node.alias)) }}
{% endmacro %}


{#
Whether this build replaces a row, as SQL: it is of these days, has no time, or is never late (a condition).
is_read: or of the days that it must read to build them.
#}
{% macro is_replaced(event_time, days, is_read=false, never_late=none) -%}
    {%- if not days -%}{{ return('1 = 1') }}{%- endif -%}
    {{ return(
        '(' ~ event_time ~ ' is null or ' ~ (never_late ~ ' or ' if never_late else '') ~ is_since(event_time, days, is_read) ~ ')'
    ) }}
{%- endmacro %}

{# meta.never_late as a condition; none without. #}
{% macro is_never_late() -%}
    {%- set never_late = config.get('meta', {}).get('never_late') if execute -%}
    {{ return(is_any_of(never_late) if never_late else none) }}
{%- endmacro %}

{#
Whether this build replaces what lasts from one moment to another: its start says so, in a back-fill any part of it, unless
it began before anything is read.
#}
{% macro is_replaced_from_to(started_at, ended_at, days) -%}
    {%- if not days or not days.until -%}{{ return(is_replaced(started_at, days)) }}{%- endif -%}
    {%- set key = config.get('unique_key') | join(', ') -%}
    {{ return(
        '(' ~ is_since(ended_at, {'from': days.from, 'until': none}) ~ ' and ' ~ is_from(started_at, '<', days.until)
        ~ ' and not coalesce((' ~ key ~ ') in (select ' ~ key ~ ' from ' ~ this ~ ' where not '
        ~ is_since(started_at, {'from': days.from, 'until': none}, is_read=true) ~ '), false))'
    ) }}
{%- endmacro %}

{% macro is_since(event_time, days, is_read=false) -%}
    {%- set margin = modules.datetime.timedelta(days=var('lateness_days') if is_read else 0) -%}
    {%- set condition = is_from(event_time, '>=', modules.datetime.date.fromisoformat(days['from']) - margin) -%}
    {%- if days.until -%}
        {%- set condition = condition ~ ' and ' ~ is_from(event_time, '<', modules.datetime.date.fromisoformat(days.until) + margin) -%}
    {%- endif -%}
    {{ return(condition) }}
{%- endmacro %}

{#
Whether a column is on one side of the beginning of a day, '>=' or '<'. By the names of columns: a date is compared with
dates, all else with the moment at which the day begins for the shop.
#}
{% macro is_from(event_time, side, day) -%}
    {%- if event_time.endswith('_on') -%}{{ return(event_time ~ ' ' ~ side ~ " cast('" ~ day ~ "' as date)") }}{%- endif -%}
    {{ return(event_time ~ ' ' ~ side ~ ' ' ~ day_begins("cast('" ~ day ~ "' as timestamp)") | trim) }}
{%- endmacro %}


{# dbt calls these by the strategy's name: https://docs.getdbt.com/docs/build/incremental-strategy#custom-strategies #}
{% macro get_incremental_replace_newest_sql(arg_dict) %}
    {%- set days = replaced_days() -%}
    {%- set condition = is_replaced(config.get('event_time'), days, never_late=is_never_late()) -%}
    {%- set key = (config.get('unique_key') or []) | join(', ') -%}
    {%- if key and days and days.until -%}
        {%- set condition = '(' ~ condition ~ ' or (' ~ key ~ ') in (select ' ~ key ~ ' from ' ~ arg_dict.temp_relation ~ '))' -%}
    {%- endif -%}
    {{ return(replace_rows(arg_dict.target_relation, arg_dict.temp_relation, condition)) }}
{% endmacro %}

{% macro get_incremental_replace_moment_sql(arg_dict) %}
    {{ return(replace_rows(arg_dict.target_relation, arg_dict.temp_relation, config.get('event_time') ~ ' = ' ~ as_of())) }}
{% endmacro %}

{% macro get_incremental_replace_flawed_sql(arg_dict) %}
    {%- set key = config.get('unique_key') -%}
    {{ return(replace_rows(
        arg_dict.target_relation, arg_dict.temp_relation,
        '(' ~ is_replaced(config.get('event_time'), replaced_days(), never_late=is_never_late()) ~ ' or '
        ~ key ~ ' in (select ' ~ key ~ ' from ' ~ arg_dict.temp_relation ~ ') and ' ~ is_read_whole() ~ ')'
    )) }}
{% endmacro %}

{% macro get_incremental_replace_customers_sql(arg_dict) %}
    {{ return(replace_rows(
        arg_dict.target_relation, arg_dict.temp_relation,
        '(' ~ is_replaced(config.get('event_time'), activity_days(this.identifier)) ~ ' or customer_id in (select customer_id from '
        ~ ref('changed_customers') ~ '))'
    )) }}
{% endmacro %}
