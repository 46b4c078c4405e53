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
