{#
Which order of day and month the texts of a column show (07/25/2026), each as an aggregate: {month, day}, 1 if that one must
come first.
#}
{% macro first_shown(expression) %}
    {%- set text = "trim(" ~ expression ~ ")" -%}
    {{ return({
        'month': "max(case when " ~ matches_pattern(text, "^[0-9]{1,2}/(?:1[3-9]|2[0-9]|3[01])/(?:19|2[01])[0-9]{2}") | trim ~ " then 1 else 0 end)",
        'day': "max(case when " ~ matches_pattern(text, "^(?:1[3-9]|2[0-9]|3[01])/[0-9]{1,2}/(?:19|2[01])[0-9]{2}") | trim ~ " then 1 else 0 end)",
    }) }}
{% endmacro %}


{# 7/25/2026 9:30 PM as 2026-07-25 21:30, with the month or the day first. Null for other texts. #}
{% macro slashed_time(expression, first) -%}
    {%- set parts = [] -%}
    {%- for place in ["^([0-9]{1,2})/", "^[0-9]{1,2}/([0-9]{1,2})/"] -%}
        {%- do parts.append("right('0' || " ~ extract_pattern(expression, place) | trim ~ ", 2)") -%}
    {%- endfor -%}
    {%- set month, day = (parts[0], parts[1]) if first == 'month' else (parts[1], parts[0]) -%}
    {%- set hour = "cast(" ~ extract_pattern(expression, " ([0-9]{1,2}):") | trim ~ " as integer)" -%}
    {%- set of_day -%}
        case right(lower({{ expression }}), 2)
            when 'pm' then 12 + mod({{ hour }}, 12)
            when 'am' then mod({{ hour }}, 12)
            else {{ hour }}
        end
    {%- endset -%}
    case
        when {{ matches_pattern(expression, "^[0-9]{1,2}/[0-9]{1,2}/(?:19|2[01])[0-9]{2}(?:,? (?:[01]?[0-9]|2[0-3]):[0-9]{2}(?::[0-9]{2})?(?: ?[AaPp][Mm])?)?$") | trim }}
            then {{ extract_pattern(expression, "^[0-9]{1,2}/[0-9]{1,2}/([0-9]{4})") | trim }} || '-' || {{ month }} || '-' || {{ day }}
                || coalesce(
                    ' ' || right('0' || cast({{ of_day }} as {{ dbt.type_string() }}), 2) || {{ extract_pattern(expression, " [0-9]{1,2}(:[0-9]{2}(?::[0-9]{2})?)") | trim }}, ''
                )
    end
{%- endmacro %}


{% macro parse_timestamp(expression, time_zone='UTC', first='') -%}
    {%- set day = "(?:19|2[01])[0-9]{2}" -%}
    {%- set hours = "(?:[T ](?:[01][0-9]|2[0-3]):[0-9]{2}(?::[0-9]{2}(?:[.][0-9]{1,9})?(?:Z| UTC| ?[+-](?:0[0-9]|1[0-4])(?::?[0-5][0-9])?)?)?)?$" -%}
    {%- set is_timestamp = matches_pattern(expression, "^" ~ day ~ "-[0-9]{2}-[0-9]{2}" ~ hours) | trim -%}
    {%- set is_other = matches_pattern(expression, "^" ~ day ~ "/[0-9]{2}/[0-9]{2}" ~ hours ~ "|^[0-9]{2}[.][0-9]{2}[.]" ~ day ~ hours ~ "|^" ~ day ~ "[0-9]{4}(?:[0-9]{6})?$") | trim -%}
    {%- set is_epoch = matches_pattern(expression, "^[0-9]{9,10}(?:[.][0-9]*)?$|^[0-9]{12,13}(?:[.][0-9]*)?$|^[0-9]{15,16}$|^[0-9]{18,19}$") | trim -%}
    {%- set by_slash = replace_pattern(expression, "^([0-9]{4})/([0-9]{2})/", "\\1-\\2-") | trim -%}
    {%- set day_first = replace_pattern(by_slash, "^([0-9]{2})[.]([0-9]{2})[.]([0-9]{4})", "\\3-\\2-\\1") | trim -%}
    {%- set compact = replace_pattern(day_first, "^([0-9]{4})([0-9]{2})([0-9]{2})$", "\\1-\\2-\\3") | trim -%}
    {%- set reordered = replace_pattern(compact, "^([0-9]{4})([0-9]{2})([0-9]{2})([0-9]{2})([0-9]{2})([0-9]{2})$", "\\1-\\2-\\3 \\4:\\5:\\6") | trim -%}
    case
        when {{ is_timestamp }} then {{ by_the_clocks(expression, time_zone) | trim }}
        when {{ is_other }} then {{ by_the_clocks(reordered, time_zone) | trim }}
        {%- if first %}
        when {{ expression }} like '%/%/%' then {{ by_the_clocks(slashed_time(expression, first) | trim, time_zone) | trim }}
        {%- endif %}
        when {{ is_epoch }} then {{ epoch_time(cast_or_null(expression, wide_decimal(38, 6) | trim) | trim) | trim }}
    end
{%- endmacro %}

{# The day in a text, in the same spellings. #}
{% macro parse_date(expression, first='') -%}
    {%- set day = "(?:19|2[01])[0-9]{2}" -%}
    {%- set alone = replace_pattern(expression, "[T ].*$") | trim -%}
    {%- set by_slash = replace_pattern(alone, "^([0-9]{4})/([0-9]{2})/", "\\1-\\2-") | trim -%}
    {%- set day_first = replace_pattern(by_slash, "^([0-9]{2})[.]([0-9]{2})[.]([0-9]{4})", "\\3-\\2-\\1") | trim -%}
    {%- set compact = replace_pattern(day_first, "^([0-9]{4})([0-9]{2})([0-9]{2})$", "\\1-\\2-\\3") | trim -%}
    case
        {%- if first %}
        when {{ expression }} like '%/%/%' and not {{ matches_pattern(expression, "^[0-9]{4}/") | trim }}
            then {{ cast_or_null(slashed_time(alone, first) | trim, 'date') | trim }}
        {%- endif %}
        when {{ matches_pattern(compact, "^" ~ day ~ "-[0-9]{2}-[0-9]{2}$") | trim }} then {{ cast_or_null(compact, 'date') | trim }}
    end
{%- endmacro %}

{# A text as a timestamp in UTC. Without an offset it is local time of time_zone. #}
{% macro by_the_clocks(expression, time_zone) -%}
    {%- if time_zone == 'UTC' -%}
        {{ local_midnight(timestamp_in_utc(expression) | trim, 'timestamp') }}
    {%- else -%}
        {#- Only an explicit midnight in UTC may be a day without a time. 20:00 in New York is not one. -#}
        case
            when {{ matches_pattern(expression, "(?:Z|UTC|:[0-9]{2}(?:[.][0-9]+)? ?[+-][0-9:]+)$") | trim }} then {{ local_midnight(timestamp_in_utc(expression) | trim, 'timestamp') | trim }}
            else {{ utc_time(timestamp_in_utc(expression) | trim, "'" ~ time_zone ~ "'") | trim }}
        end
    {%- endif -%}
{%- endmacro %}


{# Seconds, milli-, micro- or nanoseconds since 1970, by the number's size, as a timestamp. Null for other numbers. #}
{% macro epoch_time(number) -%}
    case
        when {{ number }} between 100000000 and 7258118399 then {{ time_of_micros("cast(floor(" ~ number ~ " * 1000000) as bigint)") | trim }}
        when {{ number }} between 100000000000 and 7258118399999 then {{ time_of_micros("cast(floor(" ~ number ~ " * 1000) as bigint)") | trim }}
        when {{ number }} between 100000000000000 and 7258118399999999 then {{ time_of_micros("cast(floor(" ~ number ~ ") as bigint)") | trim }}
        when {{ number }} between 100000000000000000 and 7258118399999999999 then {{ time_of_micros("cast(floor(" ~ number ~ " / 1000) as bigint)") | trim }}
    end
{%- endmacro %}
