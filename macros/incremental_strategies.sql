{# dbt finds these by the name of the strategy: https://docs.getdbt.com/docs/build/incremental-strategy#custom-strategies #}
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
