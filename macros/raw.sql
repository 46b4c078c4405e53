{#
The only access to raw data: the columns of one contract table as they come (text in the demo), missing optional ones as nulls,
and the columns for marked rows (mark_columns). Var `<source>` sets where the source is, see dbt_project.yml. Errors: a missing
required column, or a column of a type that cannot be cast, by table and column.
#}
{% macro raw(source_name, table_name) %}
    {%- set place = raw_place(source_name, table_name) -%}
    {%- if not execute -%}{{ return('(select 1)') }}{%- endif -%}
    {%- set columns = contract_columns(source_name, table_name) -%}
    {%- set expressions = [] -%}
    {%- for column in columns -%}
        {%- set found_type = place.types.get(column.name) -%}
        {%- set contract_name = column.meta.get('copy_of', column.name) -%}
        {%- set raw_name = place.get('names', {}).get(contract_name, contract_name) -%}
        {%- if found_type and found_type != 'absent' -%}
            {%- do expressions.append(quoted_column(raw_name) ~ (' as ' ~ column.name if raw_name != column.name else '')) -%}
        {%- else -%}
            {%- do expressions.append('cast(null as ' ~ sql_type(column.data_type) ~ ') as ' ~ column.name) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- do expressions.extend(mark_columns(source_name, table_name, place)) -%}
    {{ return('(select ' ~ expressions | join(', ') ~ ' from ' ~ place.relation ~ pulled_rows(source_name, table_name, place) ~ ')') }}
{% endmacro %}


{#
The rows that mailroom pull fetched from ESPs for a contract table, as ` union all select …` for raw(), in the source's types.
Their keys begin with the destination's name, so that none equals a key of the source. Empty if there are none.
#}
{% macro pulled_rows(source_name, table_name, place) %}
    {%- set ledger = source_name ~ '_' ~ table_name -%}
    {%- if not ledger_columns(ledger) or is_ledger_empty(ledger) -%}{{ return('') }}{%- endif -%}
    {%- set expressions = [] -%}
    {%- for column in contract_columns(source_name, table_name) -%}
        {%- set found_type = place.types.get(column.name, 'absent') -%}
        {%- set type = sql_type(column.data_type) if found_type == 'absent' else found_type -%}
        {%- set name = column.meta.get('copy_of', column.name) -%}
        {%- set value = name if name in ledger_columns(ledger) else 'null' -%}
        {%- if column.data_type == 'timestamp' and value != 'null' -%}{%- set value = as_source_time(source_name, value, type) | trim -%}{%- endif -%}
        {%- do expressions.append('cast(' ~ value ~ ' as ' ~ type ~ ')') -%}
    {%- endfor -%}
    {%- if marks_found(source_name, table_name, place) -%}
        {%- do expressions.extend(['cast(null as ' ~ dbt.type_string() ~ ')', 'false']) -%}
    {%- endif -%}
    {{ return(' union all select ' ~ expressions | join(', ') ~ ' from ' ~ read_ledger(ledger)) }}
{% endmacro %}


{# A text of a time in UTC, in a source's type: as the source's local time if the type has no zone. #}
{% macro as_source_time(source_name, moment, type) -%}
    {%- set zone = zone_of(source_name) -%}
    {%- if zone == 'UTC' -%}{{ moment }}
    {%- elif type.startswith(text_types()) -%}{{ moment }} || 'Z'
    {%- elif has_no_zone(type) -%}{{ local_time('cast(' ~ moment ~ ' as timestamp)', "'" ~ zone ~ "'") }}
    {%- else -%}{{ moment }}
    {%- endif -%}
{%- endmacro %}


{#
Where a contract table is: {relation, types, names, unread}. types maps the columns found to their types. For the demo, these
are its seed's columns, as text. A column without any value has the type absent.
names: contract columns found under a name that differs in case, spaces or underscores (e_mail), with that name.
unread: missing contract columns, with columns of a similar name (emial). A run logs both once.
#}
{% macro raw_place(source_name, table_name) %}
    {#- Values are read with these seeds, so dbt must build them first. -#}
    {%- do [ref('source_words'), ref('blocked_identifiers')] -%}
    {%- set origin = var(source_name) -%}
    {%- set table = source_name ~ '.' ~ table_name -%}
    {%- if origin == 'demo' -%}
        {%- for other, _ in contract_tables() if execute and var(other) is mapping -%}
            {{ exceptions.raise_compiler_error(
                "var " ~ source_name ~ " is demo, but var " ~ other ~ " is your own data. Set var " ~ source_name
                ~ " to where it is, or to absent."
            ) }}
        {%- endfor -%}
        {%- set seed = 'demo_' ~ source_name ~ '__' ~ table_name -%}
        {%- set types = {} -%}
        {%- for column in (contract_columns(source_name, table_name) if execute else []) -%}
            {%- set given = column.meta.get('copy_of', column.name) -%}
            {%- do types.update({column.name: graph.nodes['seed.mailroom.' ~ seed].config.column_types.get(given, 'absent')}) -%}
        {%- endfor -%}
        {{ return({'relation': ref(seed), 'types': types}) }}
    {%- endif -%}
    {%- set relation = source(source_name, table_name) -%}
    {%- if execute and origin is mapping -%}
        {%- for name in origin.get('absent', []) -%}{%- do contract(source_name, name) -%}{%- endfor -%}
    {%- endif -%}
    {%- if origin == 'absent' or (origin is mapping and table_name in origin.get('absent', [])) -%}
        {{ return({'relation': '(select 1 as one) as nothing where 1 = 0', 'types': {}}) }}
    {%- elif origin is not mapping or not (origin.files or origin.schema) -%}
        {{ exceptions.raise_compiler_error(
            "var " ~ source_name ~ ": " ~ origin ~ " is not one of demo, absent, {schema: …}, {files: …}"
        ) }}
    {%- endif -%}
    {%- if origin.files and '{table}' not in origin.files -%}
        {{ exceptions.raise_compiler_error(
            "var " ~ source_name ~ ": files: " ~ origin.files ~ " must contain {table} where the table's name goes"
        ) }}
    {%- endif -%}
    {%- if not execute -%}{{ return({'relation': relation, 'types': {}}) }}{%- endif -%}
    {%- if origin.database -%}
        {%- set relation = relation.incorporate(path={'database': origin.database}) -%}
    {%- endif -%}
    {%- set place = relation -%}
    {%- if origin.files -%}
        {%- set place = origin.files | replace('{table}', table_name) -%}
        {%- set names = contract_columns(source_name, table_name) | map(attribute='name') | list -%}
        {%- set relation = read_files(place, table, names) -%}
    {%- endif -%}
    {%- set types = {} -%}
    {%- for column in relation_columns(relation) -%}
        {#- Engines find Email as email too. An empty column may come without a type. -#}
        {%- do types.update({column.name | lower: 'absent' if column.type in ('"null"', 'null', 'void') else column.type}) -%}
    {%- endfor -%}
    {%- set found_names = types.keys() | list -%}
    {%- set spelling = names_meant(source_name, table_name, found_names) -%}
    {%- for wanted, given in spelling.names.items() -%}{%- do types.update({wanted: types[given]}) -%}{%- endfor -%}
    {%- set missing = [] -%}
    {%- for column in contract_columns(source_name, table_name) -%}
        {%- if column.meta.copy_of -%}{%- do types.update({column.name: types.get(column.meta.copy_of, 'absent')}) -%}{%- endif -%}
        {%- if column.name not in types and column.meta.required -%}
            {%- do missing.append(column.name ~ nearly_named(spelling, column.name)) -%}
        {%- elif types.get(column.name, 'absent') != 'absent' and not can_be(types[column.name], column.data_type) -%}
            {{ exceptions.raise_compiler_error(
                table ~ "." ~ column.name ~ " has type " ~ types[column.name] ~ " in " ~ place
                ~ ". The source contract expects " ~ column.data_type ~ ", or text that parses as one."
            ) }}
        {%- endif -%}
    {%- endfor -%}
    {%- if missing -%}
        {{ exceptions.raise_compiler_error(
            table ~ " has no required column" ~ ("s " if missing | length > 1 else " ") ~ missing | join(', ')
            ~ " in " ~ place ~ ". It has " ~ found_names | join(', ') ~ ". Add what is missing, or list the table under absent."
        ) }}
    {%- endif -%}
    {{ return(dict(spelling, relation=relation, types=types)) }}
{% endmacro %}


{#
The columns of a table under another name than the contract's: {names, unread}, see raw_place. A name that differs only in case,
spaces and underscores is read, if it is the only one. A misspelt name is only reported.
found_names: the columns that the table has, in lower case.
dbt's graph is shared by all nodes of a run. It holds the result, so that a run logs it once.
#}
{% macro names_meant(source_name, table_name, found_names) %}
    {%- set known, table = graph.setdefault('mailroom_names', {}), source_name ~ '.' ~ table_name -%}
    {%- if table in known -%}{{ return(known[table]) }}{%- endif -%}
    {%- set contract_names = contract_columns(source_name, table_name) | rejectattr('meta.copy_of') | map(attribute='name') | list -%}
    {%- set names, unread = {}, {} -%}
    {%- set unknown = {} -%}
    {%- for found in found_names if found not in contract_names -%}{%- do unknown.update({found: bare_name(found)}) -%}{%- endfor -%}
    {%- for wanted in contract_names if wanted not in found_names -%}
        {%- set same, near, bare = [], [], bare_name(wanted) -%}
        {%- for found, bare_found in unknown.items() if found not in names.values() -%}
            {%- if bare_found == bare -%}{%- do same.append(found) -%}
            {%- elif is_misspelt(bare_found, bare) -%}{%- do near.append(found) -%}
            {%- endif -%}
        {%- endfor -%}
        {%- if same | length == 1 -%}{%- do names.update({wanted: same[0]}) -%}
        {%- elif same or near -%}{%- do unread.update({wanted: same or near}) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- do known.update({table: {'names': names, 'unread': unread}}) -%}
    {%- do say_names(table, known[table]) -%}
    {{ return(known[table]) }}
{% endmacro %}


{# A column's name in lower case, with letters and digits only. #}
{% macro bare_name(name) %}{{ return(modules.re.sub('[\\W_]+', '', name | lower)) }}{% endmacro %}


{#
Whether a name looks like another with a typing error: one letter more, less or different, or two swapped. In a name of eight
letters or more also two letters more or less. Names of three letters or fewer never count: too many are similar.
#}
{% macro is_misspelt(found, wanted) %}
    {%- set shorter = [found | length, wanted | length] | min -%}
    {%- if found == wanted or shorter < 4 or (found | length - wanted | length) | abs > 2 -%}{{ return(false) }}{%- endif -%}
    {%- set same = namespace(before=0, after=0) -%}
    {%- for n in range(shorter) -%}
        {%- if same.before == n and found[n] == wanted[n] -%}{%- set same.before = n + 1 -%}{%- endif -%}
    {%- endfor -%}
    {%- for n in range(shorter - same.before) -%}
        {%- if same.after == n and found[-1 - n] == wanted[-1 - n] -%}{%- set same.after = n + 1 -%}{%- endif -%}
    {%- endfor -%}
    {%- set more = found[same.before:found | length - same.after] -%}
    {%- set less = wanted[same.before:wanted | length - same.after] -%}
    {{ return(
        (more | length <= 1 and less | length <= 1)
        or (more | length == 2 and more == less | reverse)
        or (wanted | length >= 8 and not (more and less) and (more ~ less) | length <= 2)
    ) }}
{% endmacro %}


{# Logs the columns found under another name. #}
{% macro say_names(table, meant) %}
    {%- set messages = [] -%}
    {%- for contract_name, raw_name in meant.names.items() -%}{%- do messages.append(raw_name ~ ' is read as ' ~ contract_name) -%}{%- endfor -%}
    {%- for contract_name, similar_names in meant.unread.items() -%}
        {%- set verb = ' is' if similar_names | length == 1 else ' are' -%}
        {%- do messages.append(similar_names | join(', ') ~ verb ~ ' not read (did you mean ' ~ contract_name ~ '?)') -%}
    {%- endfor -%}
    {%- if messages -%}{%- do log(table ~ ': ' ~ messages | join('; ') ~ '.', info=true) -%}{%- endif -%}
{% endmacro %}


{# The hint after a missing column's name: the columns with a similar name. #}
{% macro nearly_named(place, name) %}
    {%- set near = place.get('unread', {}).get(name) -%}
    {{ return(' (did you mean ' ~ near | join(', ') ~ '?)' if near else '') }}
{% endmacro %}


{# The columns of a contract table in order, each {name, data_type, meta}, from the source YAML. #}
{% macro contract_columns(source_name, table_name) %}
    {%- set columns = [] -%}
    {%- for column in contract(source_name, table_name).columns.values() -%}
        {%- do columns.append({
            'name': column.name, 'data_type': column.data_type, 'meta': column.config.get('meta', {})
        }) -%}
    {%- endfor -%}
    {{ return(columns) }}
{% endmacro %}


{% macro contract(source_name, table_name) %}
    {%- set id = 'source.mailroom.' ~ source_name ~ '.' ~ table_name -%}
    {%- if id not in graph.sources -%}{{ exceptions.raise_compiler_error("no source contract for " ~ source_name ~ "." ~ table_name) }}{%- endif -%}
    {{ return(graph.sources[id]) }}
{% endmacro %}


{# A contract type in this engine's words. #}
{% macro sql_type(data_type) %}
    {{ return({'text': dbt.type_string(), 'string': dbt.type_string(), 'double': double_type()}.get(data_type, data_type)) }}
{% endmacro %}


{# Whether a found column type can stand for a contract type: the same family, or text that is parsed. #}
{% macro can_be(found, wanted) %}
    {%- set families = {
        'text': ['varchar', 'text', 'string', 'char', 'int', 'long', 'bigint', 'uuid', 'decimal', 'double', 'float', 'real', 'number',
            'numeric', 'enum'],
        'timestamp': ['timestamp', 'date', 'int', 'long', 'decimal', 'double', 'float', 'number', 'numeric'],
        'date': ['date', 'timestamp'],
        'integer': ['int', 'long', 'decimal', 'double', 'float', 'number', 'numeric'],
        'decimal': ['decimal', 'double', 'float', 'int', 'long', 'real', 'number', 'numeric'],
        'boolean': ['bool', 'int']
    } -%}
    {%- if '[' in found or 'struct' in found or 'map' in found or 'array' in found -%}{{ return(false) }}{%- endif -%}
    {%- if found.startswith(text_types()) -%}{{ return(true) }}{%- endif -%}
    {%- for family in families[wanted.split('(')[0]] -%}
        {%- if family in found -%}{{ return(true) }}{%- endif -%}
    {%- endfor -%}
    {{ return(false) }}
{% endmacro %}


{# The name of a contract table's primary key column. #}
{% macro contract_key(source_name, table_name) %}
    {%- for column in contract_columns(source_name, table_name) if column.meta.key -%}{{ return(column.name) }}{%- endfor -%}
{% endmacro %}


{# How the engines name text, as prefixes. #}
{% macro text_types() %}
    {{ return(('varchar', 'text', 'string', 'char')) }}
{% endmacro %}
