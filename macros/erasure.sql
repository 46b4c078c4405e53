{#
The hash of an erased person's identifier in the ledger. Needs a row of erasure_salt under the name salt.
Types that make a record the erased person's: record (the key of a record, for a shop account shop_customer:<id>), mailbox,
mailbox and name, phone and name. Types that erase no record, because others may share them: email and phone (as written, to
remove them from tables), widest mailbox (to stop mail). carried out: not an identifier, but the time of the erasure.
#}
{% macro identifier_hash(identifier_type, identifier) -%}
    {{ sha256_text("salt.salt || '/' || " ~ identifier_type ~ " || '/' || " ~ identifier) }}
{%- endmacro %}


{# The hash of a value that identifies a person. column: its name in staging. value: an expression. #}
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


{# The ledger's hash of an erased person's mailbox, for any spelling of the address. #}
{% macro mailbox_hash(mailbox) -%}
    {{ identifier_hash("'mailbox'", mailbox ~ " || '|no name'") }}
{%- endmacro %}


{#
When each erasure request in the ledger came in. It erases older data. Newer data may belong to a new person. Requests that the
desk deleted before request_ledger existed count from their first row in the ledger.
#}
{% macro request_moments(ledger) -%}
    select
        ledger.request_id,
        coalesce(min(requests.received_at), min(ledger.recorded_at)) as received_at
    from {{ ledger }} as ledger
    left join {{ ref('request_ledger') }} as requests on ledger.request_id = requests.request_id
    group by ledger.request_id
{%- endmacro %}


{#
The rows of a relation (record_key, customer_id, first_seen_at, received_at of a request) with is_back: whether the record
belongs to a new person despite the request. It does if the record has an act of its own after the request, or was first seen
after it and belongs to a customer with such an act. The last act is enough to decide this.
#}
{% macro records_come_back(records) -%}
    select
        records.*,
        coalesce(
            own.last_acted_at > records.received_at
            or (persons.last_acted_at > records.received_at and records.first_seen_at > records.received_at),
            false
        ) as is_back
    from {{ records }} as records
    left join (
        select
            record_key,
            max(acted_at) as last_acted_at
        from {{ ref('own_acts') }}
        group by record_key
    ) as own on records.record_key = own.record_key
    left join (
        select
            customer_id,
            max(acted_at) as last_acted_at
        from {{ ref('own_acts') }}
        group by customer_id
    ) as persons on records.customer_id = persons.customer_id
{%- endmacro %}


{# The text that a customer_id is minted from: the record's key, and for a returned person's record also erased_until. #}
{% macro key_since(record_key, erased_until) -%}
    {{ record_key }} || coalesce('/' || cast({{ erased_until }} as {{ dbt.type_string() }}), '')
{%- endmacro %}
