{#
The first midnight that is not before as_of(): what happened before it is known, today's orders as well.
#}
{% macro scoring_day() -%}
    cast({{ dbt.dateadd('day', 1, "cast(" ~ dbt.dateadd('second', -1, as_of()) | trim ~ " as date)") }} as date)
{%- endmacro %}


{# The day so many days before another. #}
{% macro days_before(day, days) -%}
    cast({{ dbt.dateadd('day', -days, day) }} as date)
{%- endmacro %}


{# The day so many days after another. #}
{% macro days_after(day, days) -%}
    cast({{ dbt.dateadd('day', days, day) }} as date)
{%- endmacro %}
