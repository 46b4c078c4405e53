{#
dbt's dateadd and datediff, except where an adapter's own is wrong. They have names of their own because dbt looks for another
dateadd only in the root project, and Mailroom may be a package of one. Without weeks: engines disagree on when one starts.
#}
{% macro date_add(datepart, interval, from_date_or_timestamp) %}
    {{ return(adapter.dispatch('date_add', 'mailroom')(datepart, interval, from_date_or_timestamp)) }}
{% endmacro %}

{% macro default__date_add(datepart, interval, from_date_or_timestamp) %}{{ return(dbt.dateadd(datepart, interval, from_date_or_timestamp)) }}{% endmacro %}

{# dbt-spark's own loses fractions of a second. #}
{% macro spark__date_add(datepart, interval, from_date_or_timestamp) -%}
    timestampadd({{ datepart }}, cast({{ interval }} as int), cast({{ from_date_or_timestamp }} as timestamp))
{%- endmacro %}

{# dbt-bigquery's own returns a datetime, which BigQuery cannot compare with a timestamp. #}
{% macro bigquery__date_add(datepart, interval, from_date_or_timestamp) -%}
    timestamp(datetime_add(datetime({{ from_date_or_timestamp }}), interval ({{ interval }}) {{ datepart }}))
{%- endmacro %}


{% macro date_diff(first_date, second_date, datepart) %}
    {{ return(adapter.dispatch('date_diff', 'mailroom')(first_date, second_date, datepart)) }}
{% endmacro %}

{% macro default__date_diff(first_date, second_date, datepart) %}{{ return(dbt.datediff(first_date, second_date, datepart)) }}{% endmacro %}

{# dbt-spark's own rounds hours up. The other adapters count the boundaries crossed. #}
{% macro spark__date_diff(first_date, second_date, datepart) -%}
    {%- set seconds = {'hour': 3600, 'minute': 60, 'second': 1} -%}
    {%- if datepart == 'day' -%}
        cast(datediff({{ second_date }}, {{ first_date }}) as bigint)
    {%- elif datepart == 'month' -%}
        cast(12 * (year({{ second_date }}) - year({{ first_date }})) + month({{ second_date }}) - month({{ first_date }}) as bigint)
    {%- elif datepart == 'year' -%}
        cast(year({{ second_date }}) - year({{ first_date }}) as bigint)
    {%- elif datepart in seconds -%}
        (floor(unix_timestamp(cast({{ second_date }} as timestamp)) / {{ seconds[datepart] }})
            - floor(unix_timestamp(cast({{ first_date }} as timestamp)) / {{ seconds[datepart] }}))
    {%- else -%}
        {{ exceptions.raise_compiler_error("macros/engine: date_diff is not implemented for " ~ datepart ~ " on Spark") }}
    {%- endif -%}
{%- endmacro %}


{% macro seconds_between(from_at, to_at) %}{{ return(adapter.dispatch('seconds_between', 'mailroom')(from_at, to_at)) }}{% endmacro %}

{% macro default__seconds_between(from_at, to_at) %}{{ no_engine('seconds_between') }}{% endmacro %}

{% macro duckdb__seconds_between(from_at, to_at) -%}
    (epoch({{ to_at }}) - epoch({{ from_at }}))
{%- endmacro %}

{% macro spark__seconds_between(from_at, to_at) -%}
    (cast({{ to_at }} as double) - cast({{ from_at }} as double))
{%- endmacro %}

{% macro snowflake__seconds_between(from_at, to_at) -%}
    (cast(timestampdiff(microsecond, {{ from_at }}, {{ to_at }}) as double) / 1000000)
{%- endmacro %}

{% macro bigquery__seconds_between(from_at, to_at) -%}
    (timestamp_diff({{ to_at }}, {{ from_at }}, microsecond) / 1000000)
{%- endmacro %}
