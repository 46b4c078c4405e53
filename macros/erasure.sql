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


{% macro name_mark_type(identifier_type) -%}
    case when {{ identifier_type }} = 'email' then 'mailbox and name' else 'phone and name' end
{%- endmacro %}


{#
The marks that a name leaves in the ledger, or is looked up by. Hashes match only if they are equal, so each spelling that
compared_names takes for the same name shares a mark with it. people: a relation of identifiers (identifier_type, identifier,
name_key) with the columns `keys`. side: erased, or back.
Limits: two typing errors in one word and scrambled letters are not found.
#}
{% macro name_marks(people, keys, side) -%}
    {%- set columns = (keys + ['identifier_type', 'identifier']) | join(', ') -%}
    {%- set erased = side == 'erased' -%}
    {%- set marks = ["'is ' || names.given_1", "'swapped ' || " ~ ("names.family_whole || ' ' || names.given_1" if erased else "names.given_1 || ' ' || names.family_whole")] -%}
    {%- for column in full_names() -%}{%- do marks.append(("'short for '" if erased else "'is '") ~ ' || names.' ~ column) -%}{%- endfor -%}
    {%- if not erased -%}{%- do marks.append("'short for ' || names.given_1") -%}{%- endif -%}
    {#- Two words that differ in one letter are equal without it. The ending stays: Paul is not Paula. -#}
    {%- set spellings = ["names.given_1", "'letters ' || names.given_letters"] -%}
    {%- set n_letters = "length(names.given_1) - case when " ~ matches_pattern('names.given_1', '[aeosu]$') | trim ~ " then 1 else 0 end" -%}
    {%- for place in range(1, 13) -%}
        {%- do spellings.append("case when " ~ n_letters ~ " >= " ~ place ~ " then substr(names.given_1, 1, " ~ (place - 1) ~ ") || substr(names.given_1, " ~ (place + 1) ~ ") end") -%}
    {%- endfor -%}
    {#- If both are known names, one is not a typing error of the other. -#}
    {%- for spelling in spellings -%}
        {%- for mark, of_all in {'nearly': erased, 'not quite': not erased}.items() -%}
            {%- do marks.append(
                "case when " ~ is_latin('names.given_1') ~ " and length(names.given_1) >= 4" ~ ("" if of_all else " and not names.is_known") ~ " then '" ~ mark ~ " ' || " ~ spelling ~ " end"
            ) -%}
        {%- endfor -%}
    {%- endfor -%}
    {#- Reads people once and takes numbers from a seed, because Spark's plans grow with each select of a union. -#}
    select {{ columns }}, mark
    from (
        select
            people.{{ (keys + ['identifier_type', 'identifier']) | join(', people.') }},
            case places.place
                {% for mark in marks -%}
                when {{ loop.index }} then {{ mark }}
                {% endfor -%}
            end as mark
        from {{ people }} as people
        inner join {{ ref('person_names') }} as names on people.name_key = names.name_key
        cross join (
            select row_number() over (order by short_name, given_name) as place from {{ ref('given_names') }}
        ) as places
        where places.place <= {{ marks | length }}
    ) as marked
    where mark is not null
{%- endmacro %}
