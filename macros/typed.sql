{#
A base model: every row of one contract table, typed and judged. It adds
- reject_reason: why the row is set aside; null for a row that is kept;
- blanked_columns: optional columns whose value did not parse or is not accepted, and so became null.
Of rows that share a key the newest is kept. Nothing is dropped here: staging takes the rows without a reason,
rejected_rows lists the others, source_reconciliation counts both.

flawed_rows: a model made by flawed(), for a table too big to be judged at each read.
#}
{% macro typed(source_name, table_name, flawed_rows=none) %}
{%- set place = raw_place(source_name, table_name) -%}
{%- if not execute -%}select 1{%- else -%}
{%- set key = contract_key(source_name, table_name) -%}
{%- set names = contract_columns(source_name, table_name) | map(attribute='name') | list -%}
with {{ judged_ctes(source_name, table_name) }},
{% if not flawed_rows %}
{{ flawed_ctes(source_name, table_name) }},
{% endif %}
-- The others need no second look: each has a key of its own, and every value is as the contract wants it.
flawless as (
    select parsed.*
    from parsed
    left join (select distinct {{ key }} from {{ flawed_rows or 'flawed' }}) as flawed_keys
        on parsed.{{ key }} = flawed_keys.{{ key }}
    where parsed.{{ key }} is not null and flawed_keys.{{ key }} is null
)

select
    {{ names | join(',\n    ') }},
    cast(null as {{ dbt.type_string() }}) as reject_reason,
    cast(null as {{ dbt.type_string() }}) as blanked_columns
from flawless
union all
select
    {{ names | join(',\n    ') }},
    reject_reason,
    blanked_columns
from {{ flawed_rows or 'flawed' }}
{%- endif -%}
{% endmacro %}


{#
The rows of one contract table that are not simply kept: set aside, with a value blanked, or of a key that occurs more
than once, of which all but the newest are set aside.
#}
{% macro flawed(source_name, table_name) %}
{%- set place = raw_place(source_name, table_name) -%}
{%- if not execute -%}select 1{%- else -%}
with {{ judged_ctes(source_name, table_name) }},

{{ flawed_ctes(source_name, table_name) }}

select * from flawed
{%- endif -%}
{% endmacro %}


{% macro flawed_ctes(source_name, table_name) %}
{%- set place = raw_place(source_name, table_name) -%}
{%- set key = contract_key(source_name, table_name) -%}
{%- set columns = contract_columns(source_name, table_name) -%}
{%- set newest_first = [] -%}
{%- set then = [] -%}
{%- for column in columns if not column.meta.key -%}
    {%- if column.name == 'updated_at' -%}
        {%- do newest_first.insert(0, 'judged.updated_at desc nulls last') -%}
    {%- elif column.meta.event_time -%}
        {%- do newest_first.append('judged.' ~ column.name ~ ' desc nulls last') -%}
    {%- else -%}
        {%- do then.append('judged.' ~ column.name ~ ' nulls last') -%}
    {%- endif -%}
{%- endfor -%}
repeated_keys as (
    select {{ given_value(key, 'text', place.types.get(key, 'absent') if place.types is mapping else 'text') }} as {{ key }}
    from {{ raw(source_name, table_name) }} as raw_rows
    group by 1
    having count(*) > 1
),

ranked as (
    select
        judged.*,
        row_number() over (
            partition by judged.{{ key }}, judged.reject_reason is null
            order by {{ (newest_first + then) | join(', ') }}
        ) as copy_number
    from judged
    left join repeated_keys on judged.{{ key }} = repeated_keys.{{ key }}
    where
        repeated_keys.{{ key }} is not null
        or judged.reject_reason is not null
        or judged.blanked_columns is not null
),

flawed as (
    select
        {% for column in columns -%}
        {{ column.name }},
        {% endfor -%}
        case
            when reject_reason is null and copy_number > 1 then '{{ key }} is a duplicate'
            else reject_reason
        end as reject_reason,
        blanked_columns
    from ranked
)
{%- endmacro %}


{#
Three CTEs: given (text trimmed, empty text as null), parsed (each value cast, beside the text it came from where
that can fail) and judged (values with reject_reason and blanked_columns).
A value that is already of the contract's type costs no check.
#}
{% macro judged_ctes(source_name, table_name) %}
{%- set place = raw_place(source_name, table_name) -%}
{%- set columns = contract_columns(source_name, table_name) -%}
{%- set identified_by = contract(source_name, table_name).config.get('meta', {}).get('identified_by') -%}
{#- A shop that knows people by their device only has orders of nobody but a visitor. -#}
{%- if identified_by and var('keep_anonymous_visitors') and columns | selectattr('name', 'equalto', 'visitor_id') | list -%}
    {%- set identified_by = (identified_by + ['visitor_id']) | unique | list -%}
{%- endif -%}
{%- set given = [] -%}
{%- set parsed = [] -%}
{%- set values = [] -%}
{%- set reasons = [] -%}
{%- set blanked = [] -%}
{%- for column in columns -%}
    {%- set name = column.name -%}
    {%- set found = place.types.get(name, 'absent') if place.types is mapping else 'text' -%}
    {%- set is_text = found.startswith(text_types()) or column.data_type == 'text' -%}
    {#- A decimal of other digits may not fit, so that only the very type is exact. -#}
    {%- set is_exact = found in ('absent', column.data_type) or column.data_type == 'text'
        or (found.startswith(column.data_type) and 'decimal' not in found) -%}
    {%- set flaws = [] -%}
    {%- do given.append(given_value(name, column.data_type, found) ~ ' as ' ~ name) -%}

    {%- if column.meta.format == 'email' and found != 'absent' -%}
        {%- do parsed.append(normalise_email(name) | trim ~ ' as ' ~ name) -%}
        {%- do flaws.append('is not an e-mail address') -%}
    {%- elif is_exact -%}
        {%- do parsed.append(name if is_text or found == 'absent' else 'cast(' ~ name ~ ' as ' ~ sql_type(column.data_type) ~ ') as ' ~ name) -%}
    {%- else -%}
        {%- set value = value_as(name, column.data_type, found) | trim -%}
        {%- do parsed.append(value ~ ' as ' ~ name) -%}
        {%- do flaws.append('is not a ' ~ column.data_type.split('(')[0]) -%}
    {%- endif -%}
    {%- set is_missing = name ~ ' is null' -%}
    {%- if flaws -%}
        {%- do parsed.append(name ~ ' as ' ~ name ~ '__given') -%}
        {%- set is_flawed = name ~ '__given is not null and ' ~ name ~ ' is null' -%}
        {%- set is_missing = name ~ '__given is null' -%}
    {%- endif -%}

    {%- set sets_aside = column.meta.required or column.meta.set_aside -%}
    {%- if column.meta.required -%}{%- do reasons.append([is_missing, 'is missing', name]) -%}{%- endif -%}
    {%- if flaws and sets_aside -%}{%- do reasons.append([is_flawed, flaws[0], name]) -%}{%- endif -%}
    {%- if flaws and not sets_aside -%}{%- do blanked.append([is_flawed, name]) -%}{%- endif -%}
    {%- set value = name -%}
    {%- if column.meta.accepted and found != 'absent' -%}
        {%- set accepted = "('" ~ column.meta.accepted | join("', '") ~ "')" -%}
        {%- if sets_aside -%}
            {%- do reasons.append([name ~ ' not in ' ~ accepted, 'is not an accepted value', name]) -%}
        {%- else -%}
            {%- do blanked.append([name ~ ' not in ' ~ accepted, name]) -%}
            {%- set value = 'case when ' ~ name ~ ' in ' ~ accepted ~ ' then ' ~ name ~ ' end as ' ~ name -%}
        {%- endif -%}
    {%- endif -%}
    {%- if column.meta.event_time and found != 'absent' -%}
        {%- do reasons.append([name ~ ' > ' ~ as_of(), 'is after as_of', name]) -%}
    {%- endif -%}
    {%- do values.append(value) -%}
{%- endfor -%}
{%- if identified_by -%}
    {%- do reasons.append([identified_by | join(' is null and ') ~ ' is null', 'to identify the customer', 'no ' ~ identified_by | join(', ')]) -%}
{%- endif -%}
given as (
    select
        {{ given | join(',\n        ') }}
    from {{ raw(source_name, table_name) }} as raw_rows
),

parsed as (
    select
        {{ parsed | join(',\n        ') }}
    from given
),

judged as (
    select
        {{ values | join(',\n        ') }},
        case
            {%- for reason in reasons %}
            when {{ reason[0] }} then '{{ reason[2] }} {{ reason[1] }}'
            {%- endfor %}
        end as reject_reason,
        {% if blanked -%}
        nullif(concat_ws(', ',
            {%- for flaw in blanked %}
            case when {{ flaw[0] }} then '{{ flaw[1] }}' end{{ ',' if not loop.last }}
            {%- endfor %}
        ), '')
        {%- else -%}
        cast(null as {{ dbt.type_string() }})
        {%- endif %} as blanked_columns
    from parsed
)
{%- endmacro %}


{#
A raw value as the base models look at it: text without space around it and null where empty; a key that a data frame
turned into 1001.0 is 1001 again.
#}
{% macro given_value(name, data_type, found) -%}
    {%- if found.startswith(text_types()) -%}
        nullif(trim({{ name }}), '')
    {%- elif data_type == 'text' and found.startswith(('double', 'float', 'real', 'decimal')) -%}
        {{ replace_pattern('cast(' ~ name ~ ' as ' ~ dbt.type_string() ~ ')', '[.]0+$') | trim }}
    {%- elif data_type == 'text' and found != 'absent' -%}
        cast({{ name }} as {{ dbt.type_string() }})
    {%- else -%}
        {{ name }}
    {%- endif -%}
{%- endmacro %}


{# A raw value, found as one type, as a value of the contract's; null where it can't be one. #}
{% macro value_as(name, data_type, found) -%}
    {{ parse(name, data_type) if found.startswith(text_types()) else try_cast(name, data_type) }}
{%- endmacro %}
