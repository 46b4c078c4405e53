{#
The rules of each format, from which field_counts makes SQL and mailroom validate makes expectations.
pattern: a regular expression that matches every valid text, with the same meaning in RE2, Java and Python (no backslashes).
at_least, at_most: bounds of a number. past: not after as_of() (an expiry may be later). Each item of a list is one of the
accepted values, separated by a comma and a space.
#}
{% macro field_formats() %}
    {{ return({
        'text': {'pattern': '[^ ]'},
        'list': {},
        'id': {'pattern': '^[^ ](.*[^ ])?$'},
        'customer_id': {'pattern': '^c_[0-9a-f]{16}$'},
        'household_id': {'pattern': '^h_[0-9a-f]{16}$'},
        'email': {'pattern': '^[^@ ,;<>()A-Z]+@[^@ ,;<>()A-Z]+[.][^@ ,;<>().0-9A-Z]{2,}$'},
        'e164': {'pattern': '^[+][1-9][0-9]{7,14}$'},
        'iso_country': {'pattern': '^[A-Z]{2}$'},
        'iana_time_zone': {'pattern': '^([A-Z][A-Za-z_]+(/[A-Za-z0-9_+-]+)+|UTC)$'},
        'language_code': {'pattern': '^[a-z]{2}$'},
        'url': {'pattern': '^https?://[^ ]+$'},
        'number': {},
        'money': {'at_least': 0},
        'signed_money': {},
        'count': {'at_least': 0},
        'days': {'at_least': 0},
        'share': {'at_least': 0, 'at_most': 1},
        'ratio': {'at_least': 0},
        'boolean': {},
        'date': {'past': true},
        'timestamp': {'past': true},
        'expiry': {}
    }) }}
{% endmacro %}


{# The format that a column's name and type imply by the naming conventions. config.meta.format overrides it. #}
{% macro promised_format(name, data_type) %}
    {%- if name == 'customer_id' or data_type in ('boolean', 'date', 'timestamp') -%}
        {{ return(name if name == 'customer_id' else data_type) }}
    {%- endif -%}
    {%- if name.endswith('_id') or name.endswith('_key') -%}{{ return('id') }}{%- endif -%}
    {%- if name.startswith('n_') -%}{{ return('count') }}{%- endif -%}
    {%- if name.endswith('_share') -%}{{ return('share') }}{%- endif -%}
    {%- if name.endswith('_days') -%}{{ return('days') }}{%- endif -%}
    {%- if data_type.startswith('decimal') -%}{{ return('money') }}{%- endif -%}
    {{ return('text' if data_type == 'string' else 'number') }}
{% endmacro %}


{#
The entries of all public columns, or of one table, from the dbt graph, ordered by model and position. Each entry is the
column's config.meta over the model's config.meta.field_defaults, with name, type, description and format, and the model's
floor (folder under models/). Reading the graph is slow and dbt caches nothing between nodes, so call this once per node.
The header of models/customers/_customers.yml describes the keys. Empty while dbt parses.
#}
{% macro field_entries(table=none) %}
    {%- set entries = [] -%}
    {%- if execute -%}
        {%- set keys = primary_keys() -%}
        {%- set formats = field_formats() -%}
        {%- for model in graph.nodes.values() | sort(attribute='name')
            if model.resource_type == 'model' and model.package_name == 'mailroom' and model.config.access == 'public'
                and (table is none or model.name == table) -%}
            {%- set defaults = model.config.meta.get('field_defaults', {}) -%}
            {%- for column in model.columns.values() -%}
                {%- set entry = dict(defaults) -%}
                {%- do entry.update(column.config.get('meta', {})) -%}
                {%- set format = entry.format or promised_format(column.name, column.data_type or 'string') -%}
                {%- do entry.update(formats.get(format, {})) -%}
                {%- if format == 'list' -%}
                    {%- set item = '(' ~ entry.accepted | join('|') ~ ')' -%}
                    {%- do entry.update({'pattern': '^' ~ item ~ '(, ' ~ item ~ ')*$'}) -%}
                {%- endif -%}
                {%- do entry.update({
                    'floor': model.fqn[1],
                    'schema_name': model.schema,
                    'model_name': model.name,
                    'column_name': column.name,
                    'column_number': loop.index,
                    'description': column.description,
                    'data_type': column.data_type,
                    'is_key': column.name in keys.get(model.unique_id, []),
                    'format': format
                }) -%}
                {%- do entries.append(entry) -%}
            {%- endfor -%}
        {%- endfor -%}
    {%- endif -%}
    {{ return(entries) }}
{% endmacro %}


{#
The sources of a field that the shop does not have, by raw_place: {not_given, given_by}, or empty if the field can be filled.
not_given: the absent source tables and columns of the field. given_by: for a field that survives from several types of record,
the types that have it, or none. A system that the shop lacks completely is not listed while another one is there, because it
brings no customers who need the value.
entries: all fields as name → entry. places: the raw_place of each contract table.
A source of truth is a table or record type (the column has the field's name), a column of a table, or a public model or
column (its own sources count). With several tables one is enough to fill the field. With several public columns all are needed.
#}
{% macro absent_sources(entry, entries, places) %}
    {%- set given_by, not_given, absent = [], [], [] -%}
    {%- set origins = entry.source_of_truth.split(', ') if entry.source_of_truth is string else entry.source_of_truth -%}
    {%- for origin in origins -%}
        {%- set parts = origin.split('.') -%}
        {%- set record_table = record_tables().get(origin) -%}
        {%- set table = record_table.table if record_table else parts[:2] | join('.') -%}
        {%- if table not in places -%}
            {%- set other = entries.get(origin) or entries.get(origin ~ '.' ~ entry.column_name) -%}
            {%- set model = graph.nodes.get('model.mailroom.' ~ origin) -%}
            {%- if not other and model and model.config.meta.get('field_defaults') -%}
                {%- set other = {'source_of_truth': model.config.meta.field_defaults.source_of_truth} -%}
            {%- endif -%}
            {%- set found = absent_sources(other, entries, places) if other else {} -%}
            {%- if found.not_given -%}{{ return(found) }}{%- endif -%}
        {%- else -%}
            {%- set name = record_table.columns.get(entry.column_name, entry.column_name) if record_table else parts[2] or entry.column_name -%}
            {%- set names = contract_columns(*table.split('.')) | map(attribute='name') | list -%}
            {%- set types = places[table].types -%}
            {%- if types is mapping and not types -%}
                {%- do absent.append(table) -%}
            {%- elif types is mapping and name in names and name not in types -%}
                {%- do not_given.append(table ~ '.' ~ name ~ nearly_named(places[table], name)) -%}
            {%- else -%}
                {%- do given_by.append(origin) -%}
            {%- endif -%}
        {%- endif -%}
    {%- endfor -%}
    {%- if not (not_given or absent) or (given_by and not (not_given and given_by[0] in record_tables())) -%}{{ return({}) }}{%- endif -%}
    {{ return({'not_given': (not_given or absent) | unique | list, 'given_by': given_by or none}) }}
{% endmacro %}


{# The contract table behind each type of record, and its columns with another name than in identity_records. #}
{% macro record_tables() %}
    {%- set renamed_columns = {'country_code': 'country', 'language_code': 'language'} -%}
    {{ return({
        'shop_customer': {'table': 'shop.customers', 'columns': renamed_columns},
        'crm_contact': {'table': 'crm.contacts', 'columns': renamed_columns},
        'esp_profile': {'table': 'esp.profiles', 'columns': renamed_columns},
        'guest_checkout': {'table': 'shop.orders', 'columns': renamed_columns},
        'support_requester': {
            'table': 'support.tickets',
            'columns': {'email': 'requester_email', 'phone': 'requester_phone', 'first_name': 'requester_name'}
        }
    }) }}
{% endmacro %}


{# The columns of each model's primary_key test, by the model's unique id. Keys with an expression are left out. #}
{% macro primary_keys() %}
    {%- set keys = {} -%}
    {%- for test in graph.nodes.values() if test.resource_type == 'test' and test.test_metadata and test.test_metadata.name == 'primary_key' -%}
        {%- set columns = test.test_metadata.kwargs.columns -%}
        {%- if '(' not in columns | join -%}{%- do keys.update({test.attached_node: columns}) -%}{%- endif -%}
    {%- endfor -%}
    {{ return(keys) }}
{% endmacro %}


{# The value of one key of an entry as an SQL literal. A list becomes one text. #}
{% macro entry_literal(value) %}
    {%- if value is none or value is undefined -%}{{ return('null') }}{%- endif -%}
    {%- if value is boolean or value is number -%}{{ return(value | string | lower) }}{%- endif -%}
    {%- set words = value if value is string else value | join(', ') -%}
    {%- set line = words | trim | replace('\n', ' ') -%}
    {#- Few of the thousands of texts have a quote, and each macro call costs time. -#}
    {{ return(dbt.string_literal(dbt.escape_single_quotes(line)) if "'" in line else "'" ~ line ~ "'") }}
{% endmacro %}


{# SQL: whether the entry allows a value. Null for null. #}
{% macro is_valid_value(entry) %}
    {%- set name = entry.column_name -%}
    {%- set rules = [] -%}
    {%- if entry.accepted and entry.format != 'list' -%}
        {%- do rules.append("cast(" ~ name ~ " as " ~ dbt.type_string() ~ ") in ('" ~ entry.accepted | join("', '") ~ "')") -%}
    {%- elif entry.pattern -%}
        {%- do rules.append(matches_pattern(name, entry.pattern) | trim) -%}
    {%- endif -%}
    {%- if entry.at_least is defined -%}{%- do rules.append(name ~ ' >= ' ~ entry.at_least) -%}{%- endif -%}
    {%- if entry.at_most is defined -%}{%- do rules.append(name ~ ' <= ' ~ entry.at_most) -%}{%- endif -%}
    {%- if entry.past -%}{%- do rules.append(name ~ ' <= ' ~ as_of_day() | trim if entry.data_type == 'date' else 'cast(' ~ name ~ ' as timestamp) <= ' ~ as_of()) -%}{%- endif -%}
    {{ return(rules | join(' and ') or name ~ ' is not null') }}
{% endmacro %}
