{#
A base model: every row of one contract table, typed and judged. It adds
- reject_reason: why the row is set aside; null for a row that is kept;
- blanked_columns: optional columns whose value did not parse or is not accepted, and so became null;
- refused_values: what stood in the columns that made it so, as column=value;
- unmapped_words: words that the seed source_words does not know, as column=word.
Of rows that share a key the newest is kept. Nothing is dropped here: staging takes the rows without a reason,
rejected_rows lists the others, source_reconciliation counts both.

flawed_rows: a model made by flawed(), for a table too big to be judged at each read.
never_late: that model's meta.never_late.
#}
{% macro typed(source_name, table_name, flawed_rows=none, never_late=none) %}
{%- set place = raw_place(source_name, table_name) -%}
{%- if not execute -%}select 1{%- else -%}
{%- set key = contract_key(source_name, table_name) -%}
{%- set names = contract_columns(source_name, table_name) | map(attribute='name') | list -%}
{% if flawed_rows -%}
with {{ parsed_ctes(source_name, table_name, ids_are_plain=true) }},
{%- else -%}
{%- set rows = raw(source_name, table_name) -%}
with {{ parsed_ctes(source_name, table_name, rows, is_read_twice=true) }},

{{ flawed_ctes(source_name, table_name, rows, never_late) }},
{%- endif %}

-- The others need no second look: each has a key of its own, and every value is as the contract wants it.
flawless as (
    select parsed.*
    from parsed
    left join (select distinct {{ key }}{{ ', ' ~ is_any_of(never_late) ~ ' as is_never_late' if never_late }} from {{ flawed_rows or 'flawed' }}) as flawed_keys
        on parsed.{{ key }} = flawed_keys.{{ key }}{{ ' and ' ~ is_any_of(never_late, 'parsed.') ~ ' = flawed_keys.is_never_late' if never_late }}
    where
        parsed.{{ key }} is not null
        and flawed_keys.{{ key }} is null
        {%- if flawed_rows %}
        and not {{ is_odd_id('parsed.' ~ key) }}
        {%- endif %}
)

select
    {{ names | join(',\n    ') }},
    cast(null as {{ dbt.type_string() }}) as reject_reason,
    cast(null as {{ dbt.type_string() }}) as blanked_columns,
    cast(null as {{ dbt.type_string() }}) as refused_values,
    cast(null as {{ dbt.type_string() }}) as unmapped_words
from flawless
union all
select
    {{ names | join(',\n    ') }},
    reject_reason,
    blanked_columns,
    refused_values,
    unmapped_words
from {{ flawed_rows or 'flawed' }}
{%- endif -%}
{% endmacro %}


{#
The rows of one contract table that are not simply kept as they come: set aside, with a value blanked or a word that is not
known, with an id that is written oddly, or of a key that occurs more than once, of which all but the newest are set aside. Where one row of a key is of
these days the others are judged again with it, unless some of them are too old to be read.

The model's meta.never_late, values by column: rows with one of them are read and replaced in each build, however old they
are, and stay where a mark says that they are gone (macros/marks.sql): that takes no opt-out back. A row with one of them is never
a copy of a row without: late news of an event would then depend on rows that are no longer read.
#}
{% macro flawed(source_name, table_name) %}
{%- set place = raw_place(source_name, table_name) -%}
{%- if not execute -%}select 1{%- else -%}
{%- set key, dated_by = contract_key(source_name, table_name), event_time(source_name, table_name) -%}
{%- set never_late = config.get('meta', {}).get('never_late') -%}
{%- set days = replaced_days() -%}
{%- set rows = newest_rows(source_name, table_name, days, never_late) -%}
with {{ parsed_ctes(source_name, table_name, rows) }},

{{ flawed_ctes(source_name, table_name, rows, never_late) }}
{%- if days %},

asked as (
    select
        *,
        max(case when {{ is_replaced(dated_by, days) }} then 1 else 0 end) over (
            partition by {{ key }}{{ ', ' ~ is_any_of(never_late) if never_late }}
        ) = 1 as is_key_of_these_days
    from flawed
)

select
    {{ contract_columns(source_name, table_name) | map(attribute='name') | join(',\n    ') }},
    reject_reason,
    blanked_columns,
    refused_values,
    unmapped_words
from asked
where {{ is_replaced(dated_by, days, never_late=is_never_late()) }} or (is_key_of_these_days and {{ is_read_whole() }})
{%- else %}

select * from flawed
{%- endif %}
{%- endif -%}
{% endmacro %}


{#
Whether this build reads all rows that share a row's key in an incremental model made by flawed(). Those that are never late
have keys of their own, and are read anyhow.
#}
{% macro is_read_whole() -%}
    {%- set key, dated_by, days = config.get('unique_key'), config.get('event_time'), replaced_days() -%}
    {%- set and_may_be_late = ' and not ' ~ is_never_late() if is_never_late() else '' -%}
    {{ return(
        key ~ ' is not null and not coalesce(' ~ key ~ ' in (select ' ~ key ~ ' from ' ~ this ~ ' where not '
        ~ is_replaced(dated_by, days, is_read=true) ~ and_may_be_late ~ '), false)' ~ and_may_be_late
    ) }}
{%- endmacro %}


{# rows: the raw rows to be judged. #}
{% macro flawed_ctes(source_name, table_name, rows, never_late=none) %}
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
{#- Unless a row of the key is newer, a mark that ends it is the newest. -#}
{%- set has_marks = marks_found(source_name, table_name, place) | length > 0 -%}
{%- set is_good = 'judged.reject_reason is null' -%}
{%- if has_marks -%}
    {%- set is_good = '(' ~ is_good ~ ' or judged.ends_key)' -%}
    {%- set is_dated = columns | selectattr('name', 'equalto', 'updated_at') | list | length > 0 -%}
    {%- do newest_first.insert(1 if is_dated else 0, 'judged.ends_key desc') -%}
    {%- if is_dated -%}{%- do newest_first.insert(0, '(judged.ends_key and judged.updated_at is null) desc') -%}{%- endif -%}
{%- endif -%}
{{ judged_cte(source_name, table_name, never_late) }},

repeated_keys as (
    select
        {{ raw_value(source_name, table_name, key) }} as {{ key }}
        {{ ', ' ~ is_any_of_raw(source_name, table_name, never_late) ~ ' as is_never_late' if never_late }}
    from {{ rows }} as raw_rows
    group by 1{{ ', 2' if never_late }}
    having count(*) > 1
),

ranked as (
    select
        judged.*,
        row_number() over (
            partition by judged.{{ key }}, {{ is_good }}{{ ', ' ~ is_any_of(never_late, 'judged.') if never_late }}
            order by {{ (newest_first + then) | join(', ') }}
        ) as copy_number
    from judged
    left join repeated_keys
        on judged.{{ key }} = repeated_keys.{{ key }}{{ ' and ' ~ is_any_of(never_late, 'judged.') ~ ' = repeated_keys.is_never_late' if never_late }}
    where
        repeated_keys.{{ key }} is not null
        or judged.has_odd_id
        or judged.reject_reason is not null
        or judged.blanked_columns is not null
        or judged.unmapped_words is not null
),

{% if has_marks -%}
ended as (
    select
        *,
        max(case when copy_number = 1 and ends_key then reject_reason end) over (
            partition by {{ key }}{{ ', ' ~ is_any_of(never_late) if never_late }}
        ) as ended_because
    from ranked
),

{% endif -%}
flawed as (
    select
        {% for column in columns -%}
        {{ column.name }},
        {% endfor -%}
        case
            when reject_reason is null and copy_number > 1 then {{ "coalesce(ended_because, '" ~ key ~ " is a duplicate')" if has_marks else "'" ~ key ~ " is a duplicate'" }}
            else reject_reason
        end as reject_reason,
        blanked_columns,
        refused_values,
        unmapped_words
    from {{ 'ended' if has_marks else 'ranked' }}
)
{%- endmacro %}


{#
Three CTEs: odd_ids (raw, and whether an id is written oddly), given (text trimmed, what stands for nothing as null) and
parsed (each value cast, beside the text it came from where that can fail). A value that is already of the contract's type
costs no check.

rows: the raw rows to be parsed, where they are not all of the table's.
ids_are_plain: leave out the first, and the second look at ids. Of fifty million rows trimming the ids, which are
all different, costs more than reading everything.
is_read_twice: the caller reads parsed more than once.
#}
{% macro parsed_ctes(source_name, table_name, rows=none, ids_are_plain=false, is_read_twice=false) %}
{%- set place = raw_place(source_name, table_name) -%}
{%- set odd = [] -%}
{%- set given = [] -%}
{%- set parsed = [] -%}
{%- for column in contract_columns(source_name, table_name) -%}
    {%- set name = column.name -%}
    {%- set found = type_found(place, name) -%}
    {%- if name.endswith('_id') and found.startswith(text_types()) -%}
        {%- do odd.append(is_odd_id(name) | trim) -%}
        {%- set plain = name if ids_are_plain else 'case when has_odd_id then ' ~ plain_id(name) | trim ~ ' else ' ~ name ~ ' end' -%}
        {%- do given.append(id_or_none(source_name, table_name, plain, column) | trim ~ ' as ' ~ name) -%}
    {%- else -%}
        {%- do given.append(given_value(source_name, table_name, column, found) | trim ~ ' as ' ~ name) -%}
    {%- endif -%}
    {%- if column.meta.format == 'email' and found != 'absent' -%}
        {%- do parsed.append(normalise_email(name) | trim ~ ' as ' ~ name) -%}
    {%- elif has_words_of_its_own(column, found) -%}
        {%- set word = word_given(source_name, table_name, column) | trim -%}
        {%- do parsed.append((word if column.data_type == 'text' else parse(word, column.data_type) | trim) ~ ' as ' ~ name) -%}
    {%- elif not can_fail(column, found) -%}
        {%- set is_kept = found.startswith(text_types()) or column.data_type == 'text' or found == 'absent' -%}
        {%- do parsed.append(name if is_kept else typed_value(source_name, name, column.data_type, found, column.meta.is_evidence) | trim ~ ' as ' ~ name) -%}
    {%- else -%}
        {%- do parsed.append(value_as(source_name, table_name, name, column.data_type, found) | trim ~ ' as ' ~ name) -%}
    {%- endif -%}
    {%- if has_given(column, found) and not ids_are_plain -%}
        {%- do parsed.append(name ~ ' as ' ~ name ~ '__given') -%}
    {%- endif -%}
{%- endfor -%}
{%- if not ids_are_plain -%}
    {%- set besides = ['has_odd_id'] + (['gone_because', 'ends_key'] if marks_found(source_name, table_name, place) else []) -%}
    {%- do given.extend(besides) -%}
    {%- do parsed.extend(besides) -%}
odd_ids as (
    select
        *,
        {{ 'coalesce(' ~ odd | join(' or ') ~ ', false)' if odd else 'false' }} as has_odd_id
    from {{ rows }} as raw_rows
),

{% endif -%}
given as (
    select
        {{ given | join(',\n        ') }}
    from {{ raw(source_name, table_name) ~ ' as raw_rows' if ids_are_plain else 'odd_ids' }}
),

parsed as {{ kept_cte() if is_read_twice }}(
    select
        {{ parsed | join(',\n        ') }}
    from given
)
{%- endmacro %}


{# raw(), or what of it a build that replaces these days must read. #}
{% macro newest_rows(source_name, table_name, days, never_late=none) %}
    {%- set raw_rows = raw(source_name, table_name) -%}
    {%- if not days -%}{{ return(raw_rows) }}{%- endif -%}
    {%- set dated_by = raw_value(source_name, table_name, event_time(source_name, table_name)) -%}
    {%- set is_kept = is_any_of_raw(source_name, table_name, never_late) if never_late -%}
    {{ return(
        '(select * from ' ~ raw_rows ~ ' as all_rows where ' ~ is_replaced(dated_by, days, is_read=true, never_late=is_kept) ~ ')'
    ) }}
{% endmacro %}


{# Whether one of some columns has one of its values (values by column), as SQL. before: what stands before a column. #}
{% macro is_any_of(values_by_column, before='') -%}
    {%- set conditions = [] -%}
    {%- for column, values in values_by_column.items() -%}
        {%- do conditions.append(before ~ column ~ " in ('" ~ values | join("', '") ~ "')") -%}
    {%- endfor -%}
    {{ return('coalesce(' ~ conditions | join(' or ') ~ ', false)') }}
{%- endmacro %}

{# The same over raw(). #}
{% macro is_any_of_raw(source_name, table_name, values_by_column) -%}
    {%- set given = {} -%}
    {%- for column, values in values_by_column.items() -%}
        {%- do given.update({raw_value(source_name, table_name, column): values}) -%}
    {%- endfor -%}
    {{ return(is_any_of(given)) }}
{%- endmacro %}


{# A column of raw() as the base model has it, as an expression. #}
{% macro raw_value(source_name, table_name, name) %}
    {%- set found = type_found(raw_place(source_name, table_name), name) -%}
    {%- for column in contract_columns(source_name, table_name) if column.name == name -%}
        {%- set given = given_value(source_name, table_name, column, found) | trim -%}
        {%- if has_words_of_its_own(column, found) -%}
            {{ return(known_word(given, column_words(source_name, table_name, column)) | trim) }}
        {%- elif can_fail(column, found) -%}{{ return(value_as(source_name, table_name, given, column.data_type, found) | trim) }}
        {%- elif found in ('absent',) or column.data_type == 'text' -%}{{ return(given) }}
        {%- endif -%}
        {{ return(typed_value(source_name, given, column.data_type, found, column.meta.is_evidence) | trim) }}
    {%- endfor -%}
{% endmacro %}


{#
The CTE judged, over parsed: the values with reject_reason, blanked_columns, refused_values and unmapped_words; of a table with marks also
ends_key. never_late: as for flawed(); a mark says nothing against such rows.
#}
{% macro judged_cte(source_name, table_name, never_late=none) %}
{%- set place = raw_place(source_name, table_name) -%}
{%- set columns = contract_columns(source_name, table_name) -%}
{%- set identified_by = contract(source_name, table_name).config.get('meta', {}).get('identified_by') -%}
{%- set has_marks = marks_found(source_name, table_name, place) | length > 0 -%}
{#- In a shop that knows customers by their device only, an order may name nothing but a visitor. -#}
{%- if identified_by and var('keep_anonymous_visitors') and columns | selectattr('name', 'equalto', 'visitor_id') | list -%}
    {%- set identified_by = (identified_by + ['visitor_id']) | unique | list -%}
{%- endif -%}
{%- set values = [] -%}
{%- set reasons = [] -%}
{%- set blanked = [] -%}
{%- set refused = [] -%}
{%- set unmapped = [] -%}
{%- for column in columns -%}
    {%- set name = column.name -%}
    {%- set found = type_found(place, name) -%}
    {%- set is_checked = can_fail(column, found) -%}
    {%- set is_missing = name ~ ('__given' if has_given(column, found)) ~ ' is null' -%}
    {%- set is_flawed = name ~ '__given is not null and ' ~ name ~ ' is null' -%}
    {%- if has_words_of_its_own(column, found) and not column.meta.or_from and not column.meta.open -%}
        {%- set is_known = is_known_word(name ~ '__given', column_words(source_name, table_name, column)) | trim -%}
        {%- set is_number = ' and ' ~ name ~ ' is null' if column.data_type != 'text' else '' -%}
        {%- do unmapped.append([name ~ '__given is not null and not ' ~ is_known ~ is_number, name, name ~ '__given']) -%}
        {%- if is_number -%}{%- set is_flawed = is_flawed ~ ' and not ' ~ is_known -%}{%- endif -%}
    {%- endif -%}
    {%- set flaw = flaw_text(column) -%}
    {%- set sets_aside = column.meta.required or column.meta.set_aside -%}
    {%- if column.meta.required -%}{%- do reasons.append([is_missing, 'is missing', name]) -%}{%- endif -%}
    {%- if is_checked and sets_aside -%}{%- do reasons.append([is_flawed, flaw, name]) -%}{%- endif -%}
    {%- if is_checked and not sets_aside -%}{%- do blanked.append([is_flawed, name]) -%}{%- endif -%}
    {#- An address that can't be read still belongs to a person. -#}
    {%- if is_checked and column.meta.format != 'email' -%}{%- do refused.append([is_flawed, name, name ~ '__given']) -%}{%- endif -%}
    {%- set value = name -%}
    {%- if column.meta.accepted and found != 'absent' -%}
        {%- set accepted = "('" ~ column.meta.accepted | join("', '") ~ "')" -%}
        {%- do refused.append([name ~ ' not in ' ~ accepted, name, name ~ ('__given' if has_given(column, found))]) -%}
        {%- if sets_aside -%}
            {%- do reasons.append([name ~ ' not in ' ~ accepted, 'is not an accepted value', name]) -%}
        {%- else -%}
            {%- do blanked.append([name ~ ' not in ' ~ accepted, name]) -%}
            {%- set value = 'case when ' ~ name ~ ' in ' ~ accepted ~ ' then ' ~ name ~ ' end as ' ~ name -%}
        {%- endif -%}
    {%- endif -%}
    {%- if column.meta.event_time and found != 'absent' -%}
        {%- do reasons.append([name ~ ' > ' ~ as_of(), 'is after as_of', name]) -%}
        {%- do refused.append([name ~ ' > ' ~ as_of(), name, name]) -%}
    {%- endif -%}
    {%- do values.append(value) -%}
{%- endfor -%}
{%- if identified_by -%}
    {%- do reasons.append([identified_by | join(' is null and ') ~ ' is null', 'to identify the customer', 'no ' ~ identified_by | join(', ')]) -%}
{%- endif -%}
{%- set notes = [] -%}
{%- for flaw in blanked -%}{%- do notes.append("case when " ~ flaw[0] ~ " then '" ~ flaw[1] ~ "' end") -%}{%- endfor -%}
{%- set values_refused, words_unmapped = [], [] -%}
{%- for list, flaws in [(values_refused, refused), (words_unmapped, unmapped)] -%}
    {%- for is_so, name, value in flaws -%}
        {%- do list.append("case when " ~ is_so ~ " then '" ~ name ~ "=' || cast(" ~ value ~ " as " ~ dbt.type_string() ~ ") end") -%}
    {%- endfor -%}
{%- endfor -%}
{%- set is_gone = 'gone_because is not null' ~ (' and not ' ~ is_any_of(never_late) if never_late) -%}
judged as (
    select
        {{ values | join(',\n        ') }},
        has_odd_id,
        {%- if has_marks %}
        {{ is_gone }} and ends_key as ends_key,
        {%- endif %}
        case
            {%- if has_marks %}
            when {{ is_gone }} then gone_because
            {%- endif %}
            {%- for reason in reasons %}
            when {{ reason[0] }} then '{{ reason[2] }} {{ reason[1] }}'
            {%- endfor %}
        end as reject_reason,
        {% if notes -%}
        nullif({{ joined(', ', notes) }}, '')
        {%- else -%}
        cast(null as {{ dbt.type_string() }})
        {%- endif %} as blanked_columns,
        {% if values_refused -%}
        nullif({{ joined('; ', values_refused) }}, '')
        {%- else -%}
        cast(null as {{ dbt.type_string() }})
        {%- endif %} as refused_values,
        {% if words_unmapped -%}
        nullif({{ joined('; ', words_unmapped) }}, '')
        {%- else -%}
        cast(null as {{ dbt.type_string() }})
        {%- endif %} as unmapped_words
    from parsed
)
{%- endmacro %}


{# What is wrong with a value of a column that could not be read. #}
{% macro flaw_text(column) %}
    {%- set type = column.data_type.split('(')[0] -%}
    {{ return(
        'is not an e-mail address' if column.meta.format == 'email'
        else 'is not an accepted value' if type == 'text'
        else 'is not a' ~ ('n ' if type == 'integer' else ' ') ~ type
    ) }}
{% endmacro %}


{# The type a column was found as; absent where the user lacks it or it holds nothing. #}
{% macro type_found(place, name) %}
    {{ return(place.types.get(name, 'absent')) }}
{% endmacro %}


{# Whether a value found as one type may be none of the contract's. #}
{% macro can_fail(column, found) %}
    {%- if column.meta.format == 'email' -%}{{ return(found != 'absent') }}{%- endif -%}
    {#- A decimal of other digits may not fit, so that only the very type is exact. -#}
    {{ return(not (
        found in ('absent', column.data_type) or column.data_type == 'text'
        or (found.startswith(column.data_type) and 'decimal' not in found)
    )) }}
{% endmacro %}


{# Whether a column's words are read by the seed source_words. A number found as one needs none. #}
{% macro has_words_of_its_own(column, found) %}
    {{ return(column.meta.words and found != 'absent' and (column.data_type == 'text' or found.startswith(text_types()))) }}
{% endmacro %}

{# Whether a value is compared with the text it came from. #}
{% macro has_given(column, found) %}
    {{ return(can_fail(column, found) or (has_words_of_its_own(column, found) and not column.meta.or_from)) }}
{% endmacro %}


{#
A raw value as the base models look at it: text without space around it; null where it is empty or stands for nothing, as a
word (NULL, n/a) or a date of the year 0, 1900, 1970 or 9999 does; an id as plain_id() has it. Not the date of an answer
(meta.is_evidence): a yes of 1970 has a wrong date, and is not one whose date is not known.
#}
{% macro given_value(source_name, table_name, column, found) -%}
    {%- set name = column.name -%}
    {%- if found.startswith(text_types()) -%}
        {%- set text = 'case when ' ~ has_outer_space(name) | trim ~ ' then trim(' ~ name ~ ') else ' ~ name ~ ' end' -%}
        {%- if name.endswith('_id') -%}
            {{ id_or_none(source_name, table_name, 'case when ' ~ is_odd_id(name) | trim ~ ' then ' ~ plain_id(name) | trim ~ ' else ' ~ name ~ ' end', column) }}
        {%- elif column.data_type == 'text' -%}
            nullif({{ text }}, '')
        {%- elif column.data_type in ('timestamp', 'date') and not column.meta.is_evidence -%}
            case when not {{ matches_pattern(text, "^(?:0+$|000[01]-|1899-12-3|1900-01-01|1969-12-31|1970-01-01|2999-|9999|00[.]00[.]|0[12][.]01[.](?:1900|1970|0001)|31[.]12[.](?:1899|1969|9999|2999))") | trim }} then {{ given_text(text) }} end
        {%- else -%}
            {{ given_text(text) }}
        {%- endif -%}
    {%- elif column.data_type == 'text' and found != 'absent' -%}
        {%- set text = 'cast(' ~ name ~ ' as ' ~ dbt.type_string() ~ ')' -%}
        {%- if found.startswith(('double', 'float', 'real', 'decimal')) -%}{%- set text = replace_pattern(text, '[.]0+$') | trim -%}{%- endif -%}
        {{ id_or_none(source_name, table_name, text, column) if name.endswith('_id') else text }}
    {%- elif column.data_type == 'timestamp' and not column.meta.is_evidence and found.startswith(('int', 'bigint', 'long', 'hugeint', 'uint', 'ubigint', 'decimal', 'double', 'float', 'number', 'numeric')) -%}
        nullif({{ name }}, 0)
    {%- else -%}
        {{ name }}
    {%- endif -%}
{%- endmacro %}

{# A text of a number, a time or a yes or no; null where it is empty or a word for nothing. #}
{% macro given_text(text) -%}
    case when lower({{ text }}) in ('', 'nat', '{{ placeholders('id') | join("', '") }}') then null else {{ text }} end
{%- endmacro %}


{# Whether an id has space around it, or looks like what plain_id() mends. #}
{% macro is_odd_id(name) -%}
    ({{ has_outer_space(name) | trim }} or {{ name }} like '%.0' or {{ name }} like '%.00' or {{ name }} like 'gid://%' or {{ name }} like '%e+%' or {{ name }} like '%E+%')
{%- endmacro %}

{#
An id as its own system has it: without space around it; 1001 of 1001.0, which a data frame made of it, and of
gid://shopify/Customer/1001; 5500000000000 of 5.5e+12. 5.50012E+12, of which a spreadsheet kept six digits, is none: others
would have the same.
#}
{% macro plain_id(name) -%}
    {%- set text = "trim(" ~ name ~ ")" -%}
    {%- set tail = extract_pattern(text, "^gid://.*/([^/?]+)(?:[?].*)?$") | trim -%}
    case
        when {{ matches_pattern(text, "^[0-9]+[.]0+$") | trim }} then {{ replace_pattern(text, "[.]0+$") | trim }}
        when {{ tail }} is not null then {{ tail }}
        when {{ matches_pattern(text, "^[0-9]([.][0-9]+)?e[+][0-9]{1,2}$") | trim }}
            then cast({{ cast_or_null(cast_or_null(text, 'double') | trim, 'bigint') | trim }} as {{ dbt.type_string() }})
        when {{ matches_pattern(text, "^[0-9](?:[.][0-9]{1,5})?E[+][0-9]{1,2}$") | trim }} then null
        else {{ text }}
    end
{%- endmacro %}

{#
An id, or null where it is a word for nothing (seed blocked_identifiers), and in what names a person one for no person: 0,
guest. A shop may number its products from 0, but no account. What each of several stores numbers on its own (meta.of_store)
has the store before it, where the table says which: north:1001.
#}
{% macro id_or_none(source_name, table_name, id, column) -%}
    {%- set names_person = column.name in ('customer_id', 'external_id', 'visitor_id', 'account_id', 'contact_id', 'profile_id') -%}
    {%- set words = placeholders('id') + (placeholders('person_id') if names_person else []) -%}
    {%- set store = '' -%}
    {%- if column.meta.of_store and has_stores(source_name, table_name) and (column.name != 'product_id' or has_stores('shop', 'products')) -%}
        {%- set store = "coalesce(nullif(trim(cast(store as " ~ dbt.type_string() ~ ")), '') || ':', '') || " -%}
    {%- endif -%}
    case when lower({{ id }}) in ('', '{{ words | join("', '") }}') then null else {{ store }}{{ '(' ~ id ~ ')' if store and id.startswith('case') else id }} end
{%- endmacro %}

{# Whether a table has a column `store`: several stores stand in it, and number their accounts and orders each on its own. #}
{% macro has_stores(source_name, table_name) %}
    {%- set place = raw_place(source_name, table_name) -%}
    {{ return(type_found(place, 'store') != 'absent') }}
{% endmacro %}

{# The words of the seed blocked_identifiers that stand for no id, in lower case, read once a run. #}
{% macro placeholders(identifier_type) %}
    {%- set seed = ref('blocked_identifiers') -%}
    {%- if not execute -%}{{ return([]) }}{%- endif -%}
    {%- if 'mailroom_placeholders' not in graph and load_cached_relation(seed) -%}
        {%- do graph.update({'mailroom_placeholders': run_query(
            "select identifier_type, lower(identifier) from " ~ seed ~ " where identifier_type in ('id', 'person_id') order by 1, 2"
        ).rows}) -%}
    {%- endif -%}
    {%- set words = [] -%}
    {%- for row in graph.get('mailroom_placeholders', []) if row[0] == identifier_type -%}{%- do words.append(row[1] | replace("'", "''")) -%}{%- endfor -%}
    {{ return(words) }}
{% endmacro %}


{#
A column of given (see parsed_ctes) as one of the words that Mailroom knows. meta.or_from: where it is empty, the column whose
word may say it too, such as hard_bounce for an event. A word of that column that Mailroom knows says no more.
#}
{% macro word_given(source_name, table_name, column) -%}
    {%- set words = column_words(source_name, table_name, column) -%}
    {#- A code that stands for itself. -#}
    {%- if column.meta.open -%}{{ return('upper(' ~ known_word(column.name, words) | trim ~ ')') }}{%- endif -%}
    {%- if not column.meta.or_from -%}{{ return(known_word(column.name, words)) }}{%- endif -%}
    {%- set other = (contract_columns(source_name, table_name) | selectattr('name', 'equalto', column.meta.or_from) | first) -%}
    case
        when {{ column.name }} is not null then {{ known_word(column.name, words) }}
        when {{ other.name }} in ('{{ other.meta.accepted | join("', '") }}') then null
        when {{ is_known_word(other.name, words) }} then {{ known_word(other.name, words) }}
    end
{%- endmacro %}


{# Whether a text begins or ends with a space: two comparisons, where trim() would build another text. #}
{% macro has_outer_space(name) -%}
    ({{ name }} like ' %' or {{ name }} like '% ')
{%- endmacro %}


{# A raw value, found as one type, as a value of the contract's; null where it can't be one. #}
{% macro value_as(source_name, table_name, name, data_type, found) -%}
    {%- if found.startswith(text_types()) -%}
        {{ parse(name, data_type, ways_written(source_name, table_name).get(name, ''), zone_of(source_name)) }}
    {%- elif data_type == 'timestamp' and not found.startswith(('timestamp', 'date')) -%}
        {{ epoch_time('cast(' ~ name ~ ' as ' ~ wide_decimal(38, 6) | trim ~ ')') }}
    {%- elif data_type == 'date' -%}
        {{ typed_value(source_name, name, data_type, found) }}
    {%- elif data_type == 'timestamp' -%}
        {%- set is_evidence = contract_columns(source_name, table_name) | selectattr('name', 'equalto', name) | map(attribute='meta.is_evidence') | first -%}
        {{ typed_value(source_name, name, data_type, found, is_evidence) }}
    {%- else -%}
        {{ at_the_shop(try_cast(name, data_type), data_type) }}
    {%- endif -%}
{%- endmacro %}


{#
A value found as the contract's type, or one like it. A time without a zone is by the clocks of its source; a placeholder is none,
unless it is the date of an answer.
#}
{% macro typed_value(source_name, name, data_type, found, is_evidence=false) -%}
    {%- set value = 'cast(' ~ name ~ ' as ' ~ sql_type(data_type) ~ ')' -%}
    {%- if data_type == 'date' -%}
        {{ return('case when ' ~ value ~ " not in (cast('1900-01-01' as date), cast('1970-01-01' as date)) then " ~ value ~ ' end') }}
    {%- elif data_type != 'timestamp' -%}
        {{ return(value) }}
    {%- endif -%}
    {%- set zone = zone_of(source_name) -%}
    {%- set moment = (utc_time(value, "'" ~ zone ~ "'") | trim) if zone != 'UTC' and has_no_zone(found) else (at_the_shop(value, data_type) | trim) -%}
    {%- if is_evidence -%}{{ return(moment) }}{%- endif -%}
    case
        when
            {{ value }} between cast('1900-01-02' as timestamp) and cast('1969-12-30 23:59:59' as timestamp)
            or {{ value }} between cast('1970-01-02' as timestamp) and cast('2199-12-31' as timestamp)
            then {{ moment }}
    end
{%- endmacro %}


{# The time zone by whose clocks a source's times are that name none: its own, as its var may say, or else the shop's. #}
{% macro zone_of(source_name) %}
    {%- set origin = var(source_name) -%}
    {{ return((origin.time_zone if origin is mapping else none) or var('time_zone')) }}
{% endmacro %}


{#
How the texts of a table's columns are written where one alone may be read in two ways, by column. What stands before the
decimals of a number: '.', ',', 'mixed', or where no text shows it 'money' or ''. What comes first in a time such as 07/25/2026:
'month', 'day', or '' where no text shows it, or both. Asked of the source once a run, of all columns at once; not of events, of
which there are too many.
#}
{% macro ways_written(source_name, table_name) %}
    {%- set known, table = graph.setdefault('mailroom_ways_written', {}), source_name ~ '.' ~ table_name -%}
    {%- if not execute or table in ('web.events', 'esp.message_events') -%}{{ return({}) }}{%- endif -%}
    {%- if table not in known -%}
        {#- raw() may ask too, for the columns that mark a row as gone. -#}
        {%- do known.update({table: {}}) -%}
        {%- set place = raw_place(source_name, table_name) -%}
        {%- set columns, shown, ways = [], [], {} -%}
        {%- for column in contract_columns(source_name, table_name) if column.data_type.startswith(('decimal', 'double', 'timestamp', 'date')) -%}
            {%- if type_found(place, column.name).startswith(text_types()) -%}
                {%- do columns.append(column) -%}
                {%- do shown.extend((first_shown(column.name) if column.data_type in ('timestamp', 'date') else marks_shown(column.name)).values()) -%}
            {%- endif -%}
        {%- endfor -%}
        {%- if columns and (var(source_name) != 'demo' or load_cached_relation(place.relation)) -%}
            {%- set row = run_query('select ' ~ shown | join(', ') ~ ' from ' ~ raw(source_name, table_name) ~ ' as raw_rows').rows[0] -%}
            {%- for column in columns -%}
                {%- set one, other = row[2 * loop.index0], row[2 * loop.index0 + 1] -%}
                {%- if column.data_type in ('timestamp', 'date') -%}
                    {%- do ways.update({column.name: '' if one and other else 'month' if one else 'day' if other else ''}) -%}
                {%- else -%}
                    {%- set neither = 'money' if column.data_type == 'decimal(18,2)' else '' -%}
                    {%- do ways.update({column.name: 'mixed' if one and other else ',' if one else '.' if other else neither}) -%}
                {%- endif -%}
            {%- endfor -%}
        {%- endif -%}
        {%- do known.update({table: ways}) -%}
    {%- endif -%}
    {{ return(known[table]) }}
{% endmacro %}


{# A moment at midnight UTC is how a day without a time arrives: it is the day as the shop has it, from its midnight on. #}
{% macro at_the_shop(value, data_type) -%}
    {%- set moment = value | trim -%}
    {%- if data_type != 'timestamp' or var('time_zone') == 'UTC' -%}
        {{ moment }}
    {%- else -%}
        case when {{ moment }} = {{ dbt.date_trunc('day', moment) }} then {{ day_begins(moment) }} else {{ moment }} end
    {%- endif -%}
{%- endmacro %}
