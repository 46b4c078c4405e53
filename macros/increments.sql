{#
Increments. A model of a source's history holds the days that are done and replaces the newest: those since it was last
built, and twice var `lateness_days` before them, because
- a row may arrive so many days after what it tells of, and
- rows that belong together (copies of one event, a visit's events) may lie so many days apart.
To see the first replaced day whole, such a model reads once more the lateness before it. Its config:
    materialized='incremental', incremental_strategy='replace_newest', event_time='<column>', on_schema_change='fail'
A row without a time is read and replaced in each build.

    dbt build --event-time-start 2026-03-01 --event-time-end 2026-04-01     replaces those days instead (a back-fill)
    dbt build --full-refresh                                                replaces all of them

A build as of a moment before the newest replaced day replaces everything: the days after that moment must go.
#}

{#
Which days this build of the model replaces: {from, until} as texts, until none where it is open; none for all of them.
meta.built_through, `<model>.<column>`: the table that says how far the last build came, where the model's own rows are too
few to say. It must be built from this one.
#}
{% macro replaced_days() %}
    {#- A unit test has no `this`. -#}
    {%- if not execute or this is none or not is_incremental() -%}{{ return(none) }}{%- endif -%}
    {%- if flags.EVENT_TIME_START -%}
        {{ return({'from': flags.EVENT_TIME_START | string, 'until': flags.EVENT_TIME_END | string}) }}
    {%- endif -%}
    {%- set told = config.get('meta', {}).get('built_through', this.identifier ~ '.' ~ config.get('event_time')) -%}
    {%- set teller = load_cached_relation(this.incorporate(path={'identifier': told.split('.')[0]})) -%}
    {%- if not teller -%}{{ return(none) }}{%- endif -%}
    {%- set newest = 'cast(max(' ~ told.split('.')[1] ~ ') as date)' -%}
    {%- set days = run_query(
        'select ' ~ dbt.dateadd('day', -2 * var('lateness_days'), newest) ~ ', ' ~ newest ~ ' <= cast(' ~ as_of() ~ ' as date) from ' ~ teller
    ).rows[0] -%}
    {{ return({'from': (days[0] | string)[:10], 'until': none} if days[1] else none) }}
{% endmacro %}


{#
Whether a row is of the days that this build replaces, as SQL. is_read: or of those it must read to build them.
#}
{% macro is_replaced(event_time, days, is_read=false) -%}
    {%- if not days -%}{{ return('1 = 1') }}{%- endif -%}
    {%- set from_day = "cast('" ~ days.from ~ "' as timestamp)" -%}
    {%- set until_day = "cast('" ~ days.until ~ "' as timestamp)" -%}
    {%- if is_read -%}
        {%- set from_day = dbt.dateadd('day', -var('lateness_days'), from_day) -%}
        {%- set until_day = dbt.dateadd('day', var('lateness_days'), until_day) -%}
    {%- endif -%}
    {{ return(
        '(' ~ event_time ~ ' is null or ' ~ event_time ~ ' >= ' ~ from_day
        ~ (' and ' ~ event_time ~ ' < ' ~ until_day if days.until else '') ~ ')'
    ) }}
{%- endmacro %}


{# dbt's hook for the strategy: https://docs.getdbt.com/docs/build/incremental-strategy#custom-strategies #}
{% macro get_incremental_replace_newest_sql(arg_dict) %}
    {{ return(replace_rows(
        arg_dict.target_relation, arg_dict.temp_relation, is_replaced(config.get('event_time'), replaced_days())
    )) }}
{% endmacro %}
