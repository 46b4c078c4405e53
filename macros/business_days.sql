{#
The day n business days after the day of a timestamp. Business days are Monday to Friday; public holidays are not excluded.
1900-01-01 was a Monday. A Saturday or Sunday counts as the Friday before it.
#}
{% macro business_days_after(moment, n) -%}
    {%- set day = day_of(moment) | trim -%}
    {%- set weekday = "mod(" ~ date_diff("cast('1900-01-01' as date)", day, 'day') ~ ", 7)" -%}
    {%- set from_weekday = "case when " ~ weekday ~ " > 4 then 4 else " ~ weekday ~ " end" -%}
    {%- set days = "cast(" ~ n ~ " + 2 * floor((" ~ from_weekday ~ " + " ~ n ~ ") / 5) + " ~ from_weekday ~ " - " ~ weekday ~ " as integer)" -%}
    cast({{ date_add('day', days, day) }} as date)
{%- endmacro %}
