{#
A text as a value of a contract type, or null if it is not one. These rules apply on every engine. Spaces around the text are
ignored.
- boolean: true t yes y on 1, false f no n off 0, in any case, and German, French, Spanish, Italian and Dutch words for them
- integer, bigint: a whole number; 3.0 is one, 3.5 and 1e3 are not
- decimal, double: 12, -1.5, .5, 1e-3. Decimals are rounded half up. Also as people and spreadsheets write them: see
  number_as_typed
- timestamp: 2026-07-01, 2026-07-01 09:30, 2026-07-01T09:30:00.123, with Z, UTC or an offset such as +02:00, +0200
  or +02 after the seconds. Also 2026/07/01, 01.07.2026 (day first), 20260701 and 20260701093000. Without an offset the text is
  local time of time_zone. 07/25/2026 and 7/25/2026 9:30 PM are read if the column shows whether day or month comes first.
  The number of digits separates seconds, milli-, micro- and nanoseconds since 1970 (9 or 10, 12 or 13, 15 or 16, 18 or 19).
  Years 1900 to 2199 (infinity, epoch and the year 1 are placeholders of the source systems). Digits beyond microseconds are cut
- date: the day in such a text, whatever its time and offset, because no time zone moves a birthday
way: how the column's texts are written, for texts that can be read in two ways (ways_written).
#}
{% macro parse(expression, data_type, way='', time_zone='UTC') %}
    {%- set family = data_type.split('(')[0] -%}
    {%- set text = "trim(" ~ expression ~ ")" -%}
    {%- if family in ('text', 'string') -%}{{ return(expression) }}
    {%- elif family == 'timestamp' -%}{{ return(parse_timestamp(text, time_zone, way)) }}
    {%- elif family == 'date' -%}{{ return(parse_date(text, way)) }}
    {%- elif family == 'boolean' -%}
        {{ return(
            "case when lower(" ~ text ~ ") in ('" ~ words_for_yes() | join("', '") ~ "') then true"
            ~ " when lower(" ~ text ~ ") in ('" ~ words_for_no() | join("', '") ~ "') then false end"
        ) }}
    {%- elif family in ('integer', 'bigint') -%}
        {%- set digits = extract_pattern(text, "^([+-]?[0-9]+)(?:[.]0*)?$") | trim -%}
        {{ return(cast_or_null(digits, data_type) | trim) }}
    {%- elif family in ('decimal', 'double') -%}
        {#- Beyond these digits, engines differ in what they can read. -#}
        {%- set is_number = matches_pattern(text,
            "^[+-]?(?:[0-9]{1,18}[.]?[0-9]{0,18}|[.][0-9]{1,18}|[0-9]{1,9}[.]?[0-9]{0,9}[eE][+-]?[0-9]{1,2})$"
        ) | trim -%}
        {%- set in_groups = matches_pattern(text, "^[+-]?[1-9][0-9]{0,2}[.][0-9]{3}$") | trim -%}
        {{ return(
            "case when " ~ is_number ~ (" and not " ~ in_groups if way in (',', 'mixed', 'money'))
            ~ " then " ~ cast_or_null(text, data_type) | trim
            ~ " else " ~ cast_or_null(number_as_typed(text, way) | trim, data_type) | trim ~ " end"
        ) }}
    {%- endif -%}
    {{ exceptions.raise_compiler_error("parse: no rule for the type " ~ data_type) }}
{% endmacro %}

{% macro words_for_yes() %}{{ return(['true', 't', 'yes', 'y', 'on', '1', 'ja', 'j', 'wahr', 'oui', 'vrai', 'si', 'sí', 'sì', 'verdadero', 'vero', 'waar']) }}{% endmacro %}
{% macro words_for_no() %}{{ return(['false', 'f', 'no', 'n', 'off', '0', 'nein', 'falsch', 'non', 'faux', 'falso', 'nee', 'onwaar']) }}{% endmacro %}


{#
A number as people and spreadsheets write it (1.234,50 €, (12,90), CHF 1'234.-), in a form that engines read. Null if it is not
a number, or if a comma or a point may be either mark. mark is what the column's other texts show: '.', ',' or 'mixed'. If they
show nothing it is 'money' or '': 1,234 alone is then a thousand for money, and null otherwise.
#}
{% macro number_as_typed(expression, mark='') -%}
    {%- set currency = "(?:[A-Z]{3}|(?:US|CA|C|A|AU|NZ|HK|S|R|MX)?\\x{24}|[€£¥₹₽₺₩₫₴₪฿₦]|[Rr]s[.]?|[Kk]r[.]?|S?[Ff]r[.]?|zł|Kč|Ft|TL|лв[.]?|руб[.]?)" -%}
    {%- set spaces = "[\\x{20}\\x{A0}\\x{2009}\\x{202F}\\x27’]" -%}
    {%- set minus = replace_pattern(expression, "[−–—]", "-") | trim -%}
    {%- set whole = replace_pattern(minus, "[.,]-{1,2}([^0-9]*)$", "\\1") | trim -%}
    {%- set body = extract_pattern(
        whole,
        "^[(]?(?:[+-]" ~ spaces ~ "?" ~ currency ~ "?|" ~ currency ~ "?" ~ spaces ~ "?[+-]?)" ~ spaces ~ "?([0-9][0-9.,\\x{20}\\x{A0}\\x{2009}\\x{202F}\\x27’]*[0-9]|[0-9]|[.,][0-9]+)"
        ~ spaces ~ "?-?" ~ spaces ~ "?" ~ currency ~ "?-?[)]?$"
    ) | trim -%}
    {%- set grouped = replace_pattern(body, spaces, "_") | trim -%}
    {%- set is_negative = "(" ~ whole ~ " like '(%)' or " ~ whole ~ " like '%-%')" -%}
    {%- set point = extract_pattern(grouped, "^((?:[0-9]{1,18}|[0-9]{1,3}(?:,[0-9]{3})+|[0-9]{1,3}(?:_[0-9]{3})+)?[.][0-9]{1,18})$") | trim -%}
    {%- set comma = extract_pattern(grouped, "^((?:[0-9]{1,18}|[0-9]{1,3}(?:[.][0-9]{3})+|[0-9]{1,3}(?:_[0-9]{3})+)?,[0-9]{1,18})$") | trim -%}
    {%- set is_either = matches_pattern(grouped, "^[1-9][0-9]{0,2}[.,][0-9]{3}$") | trim -%}
    case when {{ is_negative }} then '-' else '' end || case
        when {{ is_either }} then {{ {
            '.': "replace(" ~ grouped ~ ", ',', '')",
            ',': "replace(replace(" ~ grouped ~ ", '.', ''), ',', '.')",
            'money': "case when " ~ grouped ~ " like '%,%' then replace(" ~ grouped ~ ", ',', '') end",
            '': "case when " ~ grouped ~ " like '%.%' then " ~ grouped ~ " end",
        }.get(mark, 'null') }}
        when {{ matches_pattern(grouped, "^[0-9]{1,18}$") | trim }} then {{ grouped }}
        when {{ matches_pattern(grouped, "^[1-9][0-9]{0,2}(?:(?:,[0-9]{3})+|(?:[.][0-9]{3}){2,}|(?:_[0-9]{3})+)$") | trim }}
            then {{ replace_pattern(grouped, "[^0-9]") | trim }}
        when {{ point }} is not null then {{ replace_pattern(grouped, "[,_]") | trim }}
        when {{ comma }} is not null then replace({{ replace_pattern(grouped, "[._]") | trim }}, ',', '.')
    end
{%- endmacro %}


{#
Which decimal marks the texts of a column show, each as an aggregate: {comma, point}, 1 if a text can only be read that way.
#}
{% macro marks_shown(expression) %}
    {%- set text = "trim(" ~ expression ~ ")" -%}
    {{ return({
        'comma': "max(case when " ~ matches_pattern(text, "^[^0-9]*(?:0|[0-9.\\x27]*[0-9]{4,})?,[0-9]+[^0-9]*$|,[0-9]{1,2}[^0-9,.]*$|,[0-9]{4,}[^0-9,.]*$|[.][0-9]{3}[.][0-9]{3}|[.][0-9]{3},") | trim ~ " then 1 else 0 end)",
        'point': "max(case when " ~ matches_pattern(text, "^[^0-9]*(?:0|[0-9,\\x27]*[0-9]{4,})?[.][0-9]+[^0-9]*$|[.][0-9]{1,2}[^0-9,.]*$|[.][0-9]{4,}[^0-9,.]*$|,[0-9]{3},[0-9]{3}|,[0-9]{3}[.]") | trim ~ " then 1 else 0 end)",
    }) }}
{% endmacro %}


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

{# Microseconds since 1970 as a timestamp. #}
{% macro time_of_micros(micros) %}{{ return(adapter.dispatch('time_of_micros', 'mailroom')(micros)) }}{% endmacro %}

{% macro default__time_of_micros(micros) %}{{ no_engine('time_of_micros') }}{% endmacro %}

{% macro duckdb__time_of_micros(micros) %}make_timestamp({{ micros }}){% endmacro %}

{% macro spark__time_of_micros(micros) %}timestamp_micros({{ micros }}){% endmacro %}

{% macro snowflake__time_of_micros(micros) %}to_timestamp_ntz({{ micros }}, 6){% endmacro %}

{% macro bigquery__time_of_micros(micros) %}timestamp_micros({{ micros }}){% endmacro %}


{# A value other than text, cast to another type. A fraction is rounded to a whole number: Spark's own cast would cut it. #}
{% macro try_cast(expression, data_type) -%}
    {{ cast_or_null('round(' ~ expression ~ ')' if data_type in ('integer', 'bigint') else expression, data_type) | trim }}
{%- endmacro %}


{% macro cast_or_null(expression, data_type) %}{{ return(adapter.dispatch('cast_or_null', 'mailroom')(expression, data_type)) }}{% endmacro %}

{% macro default__cast_or_null(expression, data_type) %}{{ no_engine('cast_or_null') }}{% endmacro %}

{% macro duckdb__cast_or_null(expression, data_type) -%}
    try_cast({{ expression }} as {{ data_type }})
{%- endmacro %}

{% macro spark__cast_or_null(expression, data_type) -%}
    try_cast({{ expression }} as {{ data_type }})
{%- endmacro %}

{# Snowflake's try_cast accepts text only. #}
{% macro snowflake__cast_or_null(expression, data_type) -%}
    try_cast(cast({{ expression }} as string) as {{ data_type }})
{%- endmacro %}

{% macro bigquery__cast_or_null(expression, data_type) -%}
    safe_cast({{ expression }} as {{ sql_type(data_type) }})
{%- endmacro %}


{% macro timestamp_in_utc(expression) %}{{ return(adapter.dispatch('timestamp_in_utc', 'mailroom')(expression)) }}{% endmacro %}

{% macro default__timestamp_in_utc(expression) %}{{ no_engine('timestamp_in_utc') }}{% endmacro %}

{# DuckDB allows no space before an offset. #}
{% macro duckdb__timestamp_in_utc(expression) -%}
    try_cast(replace(replace({{ expression }}, ' +', '+'), ' -', '-') as timestamptz) at time zone 'UTC'
{%- endmacro %}

{# Spark shows a timestamp in the session's zone, which profiles.yml sets to UTC. #}
{% macro spark__timestamp_in_utc(expression) -%}
    try_cast({{ expression }} as timestamp)
{%- endmacro %}

{# An offset needs a colon and no space before it. Text without an offset would be read in the session's zone. #}
{% macro snowflake__timestamp_in_utc(expression) -%}
    {%- set has_offset = matches_pattern(expression, "(Z|UTC|:[0-9.]+ ?[+-][0-9:]+)$") | trim -%}
    {%- set cut = "regexp_replace(" ~ expression ~ ", '([.][0-9]{6})[0-9]+', '\\\\1')" -%}
    {%- set closed_up = "replace(replace(replace(" ~ cut ~ ", ' UTC', 'Z'), ' +', '+'), ' -', '-')" -%}
    {%- set with_colon = "regexp_replace(" ~ closed_up ~ ", '([+-][0-9]{2})([0-9]{2})$', '\\\\1:\\\\2')" -%}
    case
        when {{ has_offset }}
            then cast(convert_timezone('UTC', try_cast({{ with_colon }} as timestamp_tz)) as timestamp)
        else try_cast({{ cut }} as timestamp)
    end
{%- endmacro %}

{# BigQuery needs seconds, a colon in an offset and no space before it, and reads six digits of a second. #}
{% macro bigquery__timestamp_in_utc(expression) -%}
    {%- set closed_up = "replace(replace(" ~ expression ~ ", ' +', '+'), ' -', '-')" -%}
    {%- set with_colon = "regexp_replace(" ~ closed_up ~ ", r'([+-][0-9]{2})([0-9]{2})$', r'\\1:\\2')" -%}
    {%- set cut = "regexp_replace(" ~ with_colon ~ ", r'([.][0-9]{6})[0-9]+', r'\\1')" -%}
    safe_cast(regexp_replace({{ cut }}, r'^(.{13}:[0-9]{2})$', r'\1:00') as timestamp)
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


{# Double precision. dbt.type_float() is single precision on DuckDB and Spark. #}
{% macro double_type() %}{{ return(adapter.dispatch('double_type', 'mailroom')()) }}{% endmacro %}

{% macro default__double_type() %}double{% endmacro %}

{% macro snowflake__double_type() %}float{% endmacro %}

{% macro bigquery__double_type() %}float64{% endmacro %}


{# A decimal with more digits than money. BigQuery's decimal has at most 29 digits before the point and 9 after it. #}
{% macro wide_decimal(precision, scale) %}{{ return(adapter.dispatch('wide_decimal', 'mailroom')(precision, scale)) }}{% endmacro %}

{% macro default__wide_decimal(precision, scale) -%}
    decimal({{ precision }}, {{ scale }})
{%- endmacro %}

{% macro bigquery__wide_decimal(precision, scale) -%}
    bignumeric({{ precision }}, {{ scale }})
{%- endmacro %}


{% macro no_engine(macro_name) %}
    {{ exceptions.raise_compiler_error(
        "macros/engine: " ~ macro_name ~ " is not implemented for the adapter '" ~ target.type
        ~ "'. Add " ~ target.type ~ "__" ~ macro_name ~ " beside the others."
    ) }}
{% endmacro %}
