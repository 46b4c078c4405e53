{#
An identifier of an erased person as the ledger keeps it. Needs a row of erasure_salt under the name salt.
Types: record (the key of a record, of a shop account shop_customer:<id>), mailbox, phone and name: they make a record
the erased person's. email, phone: as written, for what shows them; others may share them, so they make nobody erased.
#}
{% macro identifier_hash(identifier_type, identifier) -%}
    {{ sha256_text("salt.salt || '/' || " ~ identifier_type ~ " || '/' || " ~ identifier) }}
{%- endmacro %}


{# The hash of what stands in a column that names a person: column is its name in staging, value an expression. #}
{% macro named_hash(column, value) -%}
    {%- set record_types = {
        'shop_customer_id': 'shop_customer', 'contact_id': 'crm_contact', 'profile_id': 'esp_profile', 'visitor_id': 'web_visitor'
    } -%}
    {%- if column in record_types -%}
        {{ identifier_hash("'record'", "'" ~ record_types[column] ~ ":' || " ~ value) }}
    {%- else -%}
        {{ identifier_hash("'" ~ column ~ "'", value) }}
    {%- endif -%}
{%- endmacro %}
