{# Whether a column holds ids as text. #}
{% macro is_text_id(column) %}
    {{ return(column.name.endswith('_id') and column.found.startswith(text_types())) }}
{% endmacro %}


{# Whether an id has space around it, or looks like one that plain_id() changes. #}
{% macro is_odd_id(name) -%}
    ({{ has_outer_space(name) | trim }} or {{ name }} like '%.0' or {{ name }} like '%.00' or {{ name }} like 'gid://%' or {{ name }} like '%e+%' or {{ name }} like '%E+%')
{%- endmacro %}


{#
An id as its own system has it: without space around it, 1001 for 1001.0 (of a data frame) and for
gid://shopify/Customer/1001, 5500000000000 for 5.5e+12. Null for 5.50012E+12: a spreadsheet kept six of its digits, so other ids
would be the same.
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
An id, or null if it is a word for nothing (seed blocked_identifiers). The id of a person is also null if it stands for no
person: 0, guest. A shop may number its products from 0, but no account. If several stores number their rows each on its own
(meta.of_store), the store stands before the id, where the table has a column for it: north:1001.
#}
{% macro id_or_null(column, id) -%}
    {%- set names_person = column.name in ('customer_id', 'external_id', 'visitor_id', 'account_id', 'contact_id', 'profile_id') -%}
    {%- set words = placeholders('id') + (placeholders('person_id') if names_person else []) -%}
    {%- set store = '' -%}
    {%- if column.meta.of_store and has_stores(column.source_name, column.table_name) and (column.name != 'product_id' or has_stores('shop', 'products')) -%}
        {%- set store = "coalesce(nullif(trim(cast(store as " ~ dbt.type_string() ~ ")), '') || ':', '') || " -%}
    {%- endif -%}
    case when lower({{ id }}) in ('', '{{ words | join("', '") }}') then null else {{ store }}{{ '(' ~ id ~ ')' if store and id.startswith('case') else id }} end
{%- endmacro %}


{# Whether a table has a column `store`: it holds the rows of several stores, which number accounts and orders each on its own. #}
{% macro has_stores(source_name, table_name) %}
    {{ return(type_found(raw_place(source_name, table_name), 'store') != 'absent') }}
{% endmacro %}


{# The words of seed blocked_identifiers that stand for no id, in lower case. Read once per run. #}
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
