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
