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
