{#
The rows with reject_reason, blanked_columns, refused_values and unmapped_words. In a table with marks also ends_key, whether a
mark ends all rows of the key that are no newer.
#}
{% macro validated_rows(table) -%}
{%- set values, reasons, blanked, refused, unmapped = [], [], [], [], [] -%}
{%- for column in table.columns -%}
    {%- set checks = column_checks(column) -%}
    {%- do values.append(checks['value']) -%}
    {%- do reasons.extend(checks.reasons) -%}
    {%- for condition in checks.blanked -%}{%- do blanked.append('case when ' ~ condition ~ " then '" ~ column.name ~ "' end") -%}{%- endfor -%}
    {%- for condition, value in checks.refused -%}{%- do refused.append(value_note(column, condition, value)) -%}{%- endfor -%}
    {%- for condition, value in checks.unmapped -%}{%- do unmapped.append(value_note(column, condition, value)) -%}{%- endfor -%}
{%- endfor -%}
{%- set identified_by = identifying_columns(table) -%}
{%- if identified_by -%}
    {%- do reasons.append((identified_by | join(' is null and ') ~ ' is null', 'no ' ~ identified_by | join(', ') ~ ' to identify the customer')) -%}
{%- endif -%}
{%- set is_gone = 'gone_because is not null' ~ (' and not ' ~ is_any_of(table.never_late) if table.never_late) -%}
validated_rows as (
    select
        {{ values | join(',\n        ') }}{{ ',' if values }}
        has_odd_id,
        {%- if table.has_marks %}
        {{ is_gone }} and ends_key as ends_key,
        {%- endif %}
        case
            {%- if table.has_marks %}
            when {{ is_gone }} then gone_because
            {%- endif %}
            {%- for condition, reason in reasons %}
            when {{ condition }} then '{{ reason }}'
            {%- endfor %}
        end as reject_reason,
        {{ all_notes(', ', blanked) }} as blanked_columns,
        {{ all_notes('; ', refused) }} as refused_values,
        {{ all_notes('; ', unmapped) }} as unmapped_words
    from typed_rows
)
{%- endmacro %}


{#
What the contract asks of a column: {value, reasons, blanked, refused, unmapped}. value: what is kept of it, as SQL. The others
are lists with a condition each: reasons (condition, reject_reason), blanked (condition), refused and unmapped (condition, the
value to show).
#}
{% macro column_checks(column) %}
    {%- set name = column.name -%}
    {%- set raw = name ~ ('__raw' if has_raw(column)) -%}
    {%- set is_unread = raw ~ ' is not null and ' ~ name ~ ' is null' -%}
    {%- set checks = {'value': name, 'reasons': [], 'blanked': [], 'refused': [], 'unmapped': []} -%}
    {%- if has_words_of_its_own(column) and not column.meta.or_from and not column.meta.open -%}
        {%- set is_known = is_known_word(raw, column_words(column.source_name, column.table_name, column)) | trim -%}
        {%- set is_no_number = ' and ' ~ name ~ ' is null' if column.data_type != 'text' else '' -%}
        {%- do checks.unmapped.append((raw ~ ' is not null and not ' ~ is_known ~ is_no_number, raw)) -%}
        {%- if is_no_number -%}{%- set is_unread = is_unread ~ ' and not ' ~ is_known -%}{%- endif -%}
    {%- endif -%}
    {%- set rejects = column.meta.required or column.meta.set_aside -%}
    {%- if column.meta.required -%}{%- do checks.reasons.append((raw ~ ' is null', name ~ ' is missing')) -%}{%- endif -%}
    {%- if can_fail(column) -%}
        {%- do checks.reasons.append((is_unread, name ~ ' ' ~ flaw_text(column))) if rejects else checks.blanked.append(is_unread) -%}
        {#- An address that cannot be read still belongs to a person. -#}
        {%- do checks.refused.append((is_unread, raw)) if column.meta.format != 'email' -%}
    {%- endif -%}
    {%- if column.meta.accepted and column.found != 'absent' -%}
        {%- set accepted = "('" ~ column.meta.accepted | join("', '") ~ "')" -%}
        {%- set is_refused = name ~ ' not in ' ~ accepted -%}
        {%- do checks.refused.append((is_refused, raw)) -%}
        {%- if rejects -%}
            {%- do checks.reasons.append((is_refused, name ~ ' is not an accepted value')) -%}
        {%- else -%}
            {%- do checks.blanked.append(is_refused) -%}
            {%- do checks.update({'value': 'case when ' ~ name ~ ' in ' ~ accepted ~ ' then ' ~ name ~ ' end as ' ~ name}) -%}
        {%- endif -%}
    {%- endif -%}
    {%- if column.meta.event_time and column.found != 'absent' -%}
        {%- do checks.reasons.append((name ~ ' > ' ~ as_of(), name ~ ' is after as_of')) -%}
        {%- do checks.refused.append((name ~ ' > ' ~ as_of(), name)) -%}
    {%- endif -%}
    {{ return(checks) }}
{% endmacro %}


{# The columns of which one at least must name the customer (meta.identified_by), or none. #}
{% macro identifying_columns(table) %}
    {%- if not table.columns -%}{{ return(none) }}{%- endif -%}
    {%- set identified_by = contract(table.source_name, table.table_name).config.get('meta', {}).get('identified_by') -%}
    {#- In a shop that knows customers by their device only, an order may name nothing but a visitor. -#}
    {%- if identified_by and var('keep_anonymous_visitors') and table.columns | selectattr('name', 'equalto', 'visitor_id') | list -%}
        {%- set identified_by = (identified_by + ['visitor_id']) | unique | list -%}
    {%- endif -%}
    {{ return(identified_by) }}
{% endmacro %}


{# What is wrong with a value that could not be cast. #}
{% macro flaw_text(column) %}
    {%- set type = column.data_type.split('(')[0] -%}
    {{ return(
        'is not an e-mail address' if column.meta.format == 'email'
        else 'is not an accepted value' if type == 'text'
        else 'is not a' ~ ('n ' if type == 'integer' else ' ') ~ type
    ) }}
{% endmacro %}


{# column=value if the condition holds, else null. #}
{% macro value_note(column, condition, value) %}
    {{ return("case when " ~ condition ~ " then '" ~ column.name ~ "=' || cast(" ~ value ~ " as " ~ dbt.type_string() ~ ") end") }}
{% endmacro %}

{# All notes of a row as one text, null if there are none. #}
{% macro all_notes(separator, notes) -%}
    {%- if notes -%}nullif({{ joined(separator, notes) }}, ''){%- else -%}cast(null as {{ dbt.type_string() }}){%- endif -%}
{%- endmacro %}
