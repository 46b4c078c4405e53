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
