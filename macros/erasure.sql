{#
An identifier of an erased person as the ledger keeps it. Needs a row of erasure_salt under the name salt.
Types: record (the key of a record, of a shop account shop_customer:<id>), mailbox, phone and name: they make a record
the erased person's. email, phone: as written, for what shows them; widest mailbox: for what is written to; others may share
them, so they erase no one. carried out: of no identifier, since when the request is.
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


{# The hash that the ledger has of a mailbox whose owner was erased, whatever the spelling of the address. #}
{% macro mailbox_hash(mailbox) -%}
    {{ identifier_hash("'mailbox'", mailbox ~ " || '|no name'") }}
{%- endmacro %}


{#
When each erasure request that the ledger knows came in: what is older is erased by it, what is newer may be a new person's.
By the ledger's own moment for those that were forgotten before request_ledger was there.
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
Which records of a relation (record_key, customer_id, first_seen_at, received_at of a request) are a new person's in spite of
the request: a person did something on it themselves afterwards, or it was first seen afterwards and belongs to somebody who
did. One row per record and request that has an act after it.
#}
{% macro records_come_back(records, request_id=none) -%}
    select
        records.record_key,
        {% if request_id %}records.request_id,{% endif %}
        max(case when acts.record_key = records.record_key or records.first_seen_at > records.received_at then 1 else 0 end) = 1 as is_back,
        coalesce(min(case when acts.record_key = records.record_key then acts.acted_at end), min(acts.acted_at)) as first_acted_at
    from {{ records }} as records
    inner join {{ ref('own_acts') }} as acts
        on records.customer_id = acts.customer_id and acts.acted_at > records.received_at
    group by records.record_key{{ ', records.request_id' if request_id }}
{%- endmacro %}


{# What a customer_id is minted from: the record's key, and of an erased person's who came back also since when it is theirs. #}
{% macro key_since(record_key, erased_until) -%}
    {{ record_key }} || coalesce('/' || cast({{ erased_until }} as {{ dbt.type_string() }}), '')
{%- endmacro %}
