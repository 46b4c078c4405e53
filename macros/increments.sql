{#
Increments. A model of a source's history keeps what is done and builds the newest of it again: the days since it was last
built, and twice var `lateness_days` before them, because
- a row may arrive so many days after what it tells of, and
- rows that belong together (copies of one event, a visit's events) may lie so many days apart.
Three strategies (incremental_strategy), each in one transaction with whatever else the model does:
- replace_newest, for events: replaces these days. To see the first of them whole, the model reads the lateness before it too.
  Needs event_time, the column that dates its rows. A row without a time is read and replaced in each build.
- replace_changed, for what is put right later: replaces each row whose key (unique_key) is among the new rows. A row without
  a key is read and replaced in each build.
- replace_customers, for what is attributed to customers: replaces these days, and every day of the customers that
  changed_customers lists.

    dbt build --event-time-start 2026-03-01 --event-time-end 2026-04-01     builds those days again instead: a back-fill
    dbt build --full-refresh                                                builds all of them

meta.never_late, a condition: rows for which it holds are read and replaced in each build, however old they are.

A build as of a moment before the newest day builds everything again: the days after that moment must go.
#}

{#
Which days this build replaces: {from, until} as texts, until none where it is open; none for all of them.
The last build came as far as the newest event_time of the model. Where its own rows are too few to say, or others than the
source's are among them, meta.built_through says it: `<table>.<column>` of a table built from this one, of the rows for which
meta.built_where holds.
newest: a select of that instead. model: the model whose rows are replaced, if it is another than the one that asks.
#}
{% macro replaced_days(newest=none, model=none) %}
    {#- A unit test has no `this`. -#}
    {%- if not execute or this is none -%}{{ return(none) }}{%- endif -%}
    {%- set is_kept = load_cached_relation(this.incorporate(path={'identifier': model})) and not flags.FULL_REFRESH if model else is_incremental() -%}
    {%- if not is_kept -%}{{ return(none) }}{%- endif -%}
    {%- if invocation_args_dict.get('event_time_start') -%}{{ return(asked_for_days()) }}{%- endif -%}
    {%- if not newest -%}
        {%- set meta = config.get('meta', {}) -%}
        {%- set told = meta.get('built_through', this.identifier ~ '.' ~ config.get('event_time')).split('.') -%}
        {%- set teller = load_cached_relation(this.incorporate(path={'identifier': told[0]})) -%}
        {%- if not teller -%}{{ return(none) }}{%- endif -%}
        {%- set newest = 'select max(' ~ told[1] ~ ') as newest from ' ~ teller ~ ' where ' ~ meta.get('built_where', '1 = 1') -%}
    {%- endif -%}
    {%- set found = run_query(
        'select ' ~ dbt.dateadd('day', -2 * var('lateness_days'), 'newest_on') ~ ', newest_on <= cast(' ~ as_of() ~ ' as date) from '
        ~ '(select cast(newest as date) as newest_on from (' ~ newest ~ ') as newest_row) as newest_day'
    ).rows[0] -%}
    {{ return({'from': (found[0] | string)[:10], 'until': none} if found[1] else none) }}
{% endmacro %}


{# The days of a back-fill, from dbt's own options. Error: a time within a day. #}
{% macro asked_for_days() %}
    {%- set days = {} -%}
    {%- for name, option in [('from', 'event_time_start'), ('until', 'event_time_end')] -%}
        {%- set moment = invocation_args_dict[option] | string -%}
        {%- if not moment.endswith('00:00:00') -%}
            {{ exceptions.raise_compiler_error('--' ~ option | replace('_', '-') ~ ' ' ~ moment ~ ': a back-fill is of whole days (UTC)') }}
        {%- endif -%}
        {%- do days.update({name: moment[:10]}) -%}
    {%- endfor -%}
    {{ return(days) }}
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

{# By the names of columns: a date is compared with dates, all else with timestamps. #}
{% macro is_since(event_time, days, is_read=false) -%}
    {%- set margin = modules.datetime.timedelta(days=var('lateness_days') if is_read else 0) -%}
    {%- set data_type = 'date' if event_time.endswith('_on') else 'timestamp' -%}
    {%- set since = modules.datetime.date.fromisoformat(days['from']) - margin -%}
    {%- set condition = event_time ~ " >= cast('" ~ since ~ "' as " ~ data_type ~ ")" -%}
    {%- if days.until -%}
        {%- set until = modules.datetime.date.fromisoformat(days.until) + margin -%}
        {%- set condition = condition ~ ' and ' ~ event_time ~ " < cast('" ~ until ~ "' as " ~ data_type ~ ")" -%}
    {%- endif -%}
    {{ return(condition) }}
{%- endmacro %}


{# dbt calls these by the strategy's name: https://docs.getdbt.com/docs/build/incremental-strategy#custom-strategies #}
{% macro get_incremental_replace_newest_sql(arg_dict) %}
    {{ return(replace_rows(
        arg_dict.target_relation, arg_dict.temp_relation,
        is_replaced(config.get('event_time'), replaced_days(), never_late=config.get('meta', {}).get('never_late'))
    )) }}
{% endmacro %}

{% macro get_incremental_replace_changed_sql(arg_dict) %}
    {%- set key = config.get('unique_key') -%}
    {{ return(replace_rows(
        arg_dict.target_relation, arg_dict.temp_relation,
        '(' ~ key ~ ' is null or ' ~ key ~ ' in (select ' ~ key ~ ' from ' ~ arg_dict.temp_relation ~ '))'
    )) }}
{% endmacro %}

{% macro get_incremental_replace_customers_sql(arg_dict) %}
    {{ return(replace_rows(
        arg_dict.target_relation, arg_dict.temp_relation,
        '(' ~ is_replaced(config.get('event_time'), activity_days(this.identifier)) ~ ' or customer_id in (select customer_id from '
        ~ ref('changed_customers') ~ '))'
    )) }}
{% endmacro %}
