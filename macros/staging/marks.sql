{#
Rows that do not count, because their loader or system marks them, for example as deleted. Var `row_marks` names the columns and
the reasons. validated_rows rejects these rows.
#}

{#
The marks of a contract table: a list of {reason, ends_key, condition}, with the condition as SQL over its columns. Column names
match by letters and digits. A mark is set if its column is true, or a time in the past.
#}
{% macro marks_found(source_name, table_name, place) %}
    {%- set marks = [] -%}
    {%- if not execute -%}{{ return(marks) }}{%- endif -%}
    {%- set known = contract_columns(source_name, table_name) | map(attribute='name') | list -%}
    {%- for mark in var('row_marks') if source_name ~ '.' ~ table_name in mark.get('of', [source_name ~ '.' ~ table_name]) -%}
        {%- for how in ['if_true', 'if_false', 'if_delete'] -%}
            {%- set wanted = [] -%}
            {%- for name in mark.get(how, []) -%}{%- do wanted.append(bare_name(name)) -%}{%- endfor -%}
            {%- for name, found in place.types.items() if name not in known and found != 'absent' and bare_name(name) in wanted -%}
                {%- do marks.append({
                    'reason': mark.reason, 'ends_key': mark.get('ends_key', false), 'condition': is_marked(source_name, table_name, quoted_column(name), found, how) | trim
                }) -%}
            {%- endfor -%}
        {%- endfor -%}
    {%- endfor -%}
    {{ return(marks) }}
{% endmacro %}


{# Whether a column of a type marks its row. #}
{% macro is_marked(source_name, table_name, name, found, how) -%}
    {%- set mark = {'source_name': source_name, 'table_name': table_name, 'name': name, 'data_type': 'boolean', 'meta': {}, 'found': found} -%}
    {%- set value = trimmed_value(mark) | trim -%}
    {%- set is_moment = found.startswith(('timestamp', 'date')) -%}
    {%- if how == 'if_delete' -%}
        lower(trim(cast({{ name }} as {{ dbt.type_string() }}))) in ('d', 'delete', 'deleted')
    {%- elif how == 'if_false' -%}
        {{ cast_value(mark, value) | trim }} = false
    {%- else -%}
        (
            {%- if not is_moment %}{{ cast_value(mark, value) | trim }}{% endif %}
            {%- if is_moment or found.startswith(text_types()) %}
            {%- set moment = cast_value(dict(mark, data_type='timestamp'), value) | trim %}
            {{- ' or ' if not is_moment }}{{ moment }} > cast('1971-01-01' as timestamp) and {{ moment }} <= {{ as_of() }}
            {%- endif -%}
        )
    {%- endif -%}
{%- endmacro %}


{#
The columns that raw() adds to a table with marks: gone_because, the reason of the first mark that is set, and ends_key, whether
it applies to all rows with the same key that are no newer. None for a table without marks.
#}
{% macro mark_columns(source_name, table_name, place) %}
    {%- set marks = marks_found(source_name, table_name, place) -%}
    {%- if not marks -%}{{ return([]) }}{%- endif -%}
    {%- set ends = marks | selectattr('ends_key') | map(attribute='condition') | list -%}
    {%- set cases = [] -%}
    {%- for mark in marks -%}{%- do cases.append('when ' ~ mark.condition ~ " then '" ~ mark.reason ~ "'") -%}{%- endfor -%}
    {{ return([
        'case ' ~ cases | join(' ') ~ ' end as gone_because',
        ('coalesce(' ~ ends | join(' or ') ~ ', false)' if ends else 'false') ~ ' as ends_key'
    ]) }}
{% endmacro %}


{# The reasons of marks, for `in`. what: a prefix for rows rejected with another one, such as 'its order is '. #}
{% macro mark_reasons(what='') -%}
    {%- set reasons = [] -%}
    {%- for reason in var('row_marks') | map(attribute='reason') | unique -%}{%- do reasons.append("'" ~ what ~ reason ~ "'") -%}{%- endfor -%}
    ({{ reasons | join(', ') }})
{%- endmacro %}


{# The keys of marked rows of a base model, with the reason, as a relation. #}
{% macro marked_keys(base, key) -%}
    (
        select
            {{ key }},
            min(reject_reason) as gone_because
        from {{ base }}
        where reject_reason in {{ mark_reasons() }}
        group by {{ key }}
    )
{%- endmacro %}
