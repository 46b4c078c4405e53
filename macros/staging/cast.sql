{#
The rows with each value cast, and for a value that may not be of its type also <column>__raw, what it was cast from. A value
that is already of the contract's type costs no check.
is_read_once: by the steps after it. If not, the engine keeps the rows.
#}
{% macro typed_rows(table, is_read_once=false) -%}
{%- set values = [] -%}
{%- for column in table.columns -%}
    {%- set value = typed_value(column) | trim -%}
    {%- do values.append(value if value == column.name else value ~ ' as ' ~ column.name) -%}
    {%- if has_raw(column) and not table.flagged_rows -%}{%- do values.append(column.name ~ ' as ' ~ column.name ~ '__raw') -%}{%- endif -%}
{%- endfor -%}
typed_rows as {{ '' if is_read_once or table.flagged_rows else kept_cte() }}(
    select
        {{ (values + step_columns(table)) | join(',\n        ') }}
    from trimmed_rows
)
{%- endmacro %}


{# A value of trimmed_rows as the contract has it. #}
{% macro typed_value(column) -%}
    {%- set name, found = column.name, column.found -%}
    {%- if column.meta.format == 'email' and found != 'absent' -%}{{ return(normalise_email(name)) }}
    {%- elif has_words_of_its_own(column) -%}
        {%- set word = word_value(column) | trim -%}
        {{ return(word if column.data_type == 'text' else parse(word, column.data_type)) }}
    {%- elif can_fail(column) -%}{{ return(cast_value(column, name)) }}
    {%- elif found.startswith(text_types()) or column.data_type == 'text' or found == 'absent' -%}{{ return(name) }}
    {%- endif -%}
    {{ return(plain_cast(column, name)) }}
{%- endmacro %}


{# Whether a raw value may be no value of the contract's type. #}
{% macro can_fail(column) %}
    {%- set found = column.found -%}
    {%- if column.meta.format == 'email' -%}{{ return(found != 'absent') }}{%- endif -%}
    {#- A decimal of other digits may not fit, so only the same type is exact. -#}
    {{ return(not (
        found in ('absent', column.data_type) or column.data_type == 'text'
        or (found.startswith(column.data_type) and 'decimal' not in found)
    )) }}
{% endmacro %}


{# Whether seed source_words reads a column's words. A number found as one needs none. #}
{% macro has_words_of_its_own(column) %}
    {{ return(column.meta.words and column.found != 'absent' and (column.data_type == 'text' or column.found.startswith(text_types()))) }}
{% endmacro %}


{# Whether validated_rows compares a value with what it was cast from. #}
{% macro has_raw(column) %}
    {{ return(can_fail(column) or (has_words_of_its_own(column) and not column.meta.or_from)) }}
{% endmacro %}


{#
A column of trimmed_rows as one of the words that Mailroom knows. meta.or_from: the column that may say it if this one is empty,
such as hard_bounce for an event. A word of that column that Mailroom knows says no more.
#}
{% macro word_value(column) -%}
    {%- set words = column_words(column.source_name, column.table_name, column) -%}
    {#- A code that stands for itself. -#}
    {%- if column.meta.open -%}{{ return('upper(' ~ known_word(column.name, words) | trim ~ ')') }}{%- endif -%}
    {%- if not column.meta.or_from -%}{{ return(known_word(column.name, words)) }}{%- endif -%}
    {%- set other = (contract_columns(column.source_name, column.table_name) | selectattr('name', 'equalto', column.meta.or_from) | first) -%}
    case
        when {{ column.name }} is not null then {{ known_word(column.name, words) }}
        when {{ other.name }} in ('{{ other.meta.accepted | join("', '") }}') then null
        when {{ is_known_word(other.name, words) }} then {{ known_word(other.name, words) }}
    end
{%- endmacro %}


{# A trimmed value cast to the contract's type, or null if it is no such value. #}
{% macro cast_value(column, value) -%}
    {%- set data_type, found = column.data_type, column.found -%}
    {%- if found.startswith(text_types()) -%}
        {{ parse(value, data_type, ways_written(column.source_name, column.table_name).get(column.name, ''), zone_of(column.source_name)) }}
    {%- elif data_type == 'timestamp' and not found.startswith(('timestamp', 'date')) -%}
        {{ epoch_time('cast(' ~ value ~ ' as ' ~ wide_decimal(38, 6) | trim ~ ')') }}
    {%- elif data_type in ('date', 'timestamp') -%}
        {{ plain_cast(column, value) }}
    {%- else -%}
        {{ local_midnight(try_cast(value, data_type), data_type) }}
    {%- endif -%}
{%- endmacro %}


{#
A value found as the contract's type, or one like it. A time without a zone is local time of its source. A placeholder becomes
null, unless it is the date of an answer.
#}
{% macro plain_cast(column, value) -%}
    {%- set data_type = column.data_type -%}
    {%- set cast_as = 'cast(' ~ value ~ ' as ' ~ sql_type(data_type) ~ ')' -%}
    {%- if data_type == 'date' -%}
        {{ return('case when ' ~ cast_as ~ " not in (cast('1900-01-01' as date), cast('1970-01-01' as date)) then " ~ cast_as ~ ' end') }}
    {%- elif data_type != 'timestamp' -%}
        {{ return(cast_as) }}
    {%- endif -%}
    {%- set zone = zone_of(column.source_name) -%}
    {%- set moment = (utc_time(cast_as, "'" ~ zone ~ "'") | trim) if zone != 'UTC' and has_no_zone(column.found) else (local_midnight(cast_as, data_type) | trim) -%}
    {%- if column.meta.is_evidence -%}{{ return(moment) }}{%- endif -%}
    case
        when
            {{ cast_as }} between cast('1900-01-02' as timestamp) and cast('1969-12-30 23:59:59' as timestamp)
            or {{ cast_as }} between cast('1970-01-02' as timestamp) and cast('2199-12-31' as timestamp)
            then {{ moment }}
    end
{%- endmacro %}
