{#
An identifier of an erased person as the ledger keeps it. Needs a row of erasure_salt under the name salt.
Types: record (the key of a record, of a shop account shop_customer:<id>), mailbox, mailbox and name, phone and name: they make
a record the erased person's. email, phone: as written, for what shows them; widest mailbox: for what is written to; others may share
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
The rows of a relation (record_key, customer_id, first_seen_at, received_at of a request), and of each whether it is a new
person's in spite of the request: a person did something on it themselves afterwards, or it was first seen afterwards and
belongs to somebody who did. Whether there is an act after a moment the last act says.
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


{# What a customer_id is minted from: the record's key, and of an erased person's who came back also since when it is theirs. #}
{% macro key_since(record_key, erased_until) -%}
    {{ record_key }} || coalesce('/' || cast({{ erased_until }} as {{ dbt.type_string() }}), '')
{%- endmacro %}


{% macro name_mark_type(identifier_type) -%}
    case when {{ identifier_type }} = 'email' then 'mailbox and name' else 'phone and name' end
{%- endmacro %}


{#
What a name leaves in the ledger, or is looked up there by: hashes can't be compared, only be the same, so each spelling that
compared_names would take for the same has a mark in common with it. people: a relation of identifiers (identifier_type, identifier,
name_key) with the columns `keys` beside them. side: erased, or back.
Not found by them: two slips in one word, and scrambled letters.
#}
{% macro name_marks(people, keys, side) -%}
    {%- set columns = (keys + ['identifier_type', 'identifier']) | join(', ') -%}
    {%- set erased = side == 'erased' -%}
    {%- set marks = ["'is ' || names.given_1", "'swapped ' || " ~ ("names.family_whole || ' ' || names.given_1" if erased else "names.given_1 || ' ' || names.family_whole")] -%}
    {%- for column in full_names() -%}{%- do marks.append(("'short for '" if erased else "'is '") ~ ' || names.' ~ column) -%}{%- endfor -%}
    {%- if not erased -%}{%- do marks.append("'short for ' || names.given_1") -%}{%- endif -%}
    {#- A word without one of its letters is the same for both of two words that differ in it. An ending stays: Paul is not Paula. -#}
    {%- set spellings = ["names.given_1", "'letters ' || names.given_letters"] -%}
    {%- set n_letters = "length(names.given_1) - case when " ~ matches_pattern('names.given_1', '[aeosu]$') | trim ~ " then 1 else 0 end" -%}
    {%- for place in range(1, 13) -%}
        {%- do spellings.append("case when " ~ n_letters ~ " >= " ~ place ~ " then substr(names.given_1, 1, " ~ (place - 1) ~ ") || substr(names.given_1, " ~ (place + 1) ~ ") end") -%}
    {%- endfor -%}
    {#- Where both are known names a slip of one is not the other. -#}
    {%- for spelling in spellings -%}
        {%- for mark, of_all in {'nearly': erased, 'not quite': not erased}.items() -%}
            {%- do marks.append(
                "case when " ~ is_latin('names.given_1') ~ " and length(names.given_1) >= 4" ~ ("" if of_all else " and not names.is_known") ~ " then '" ~ mark ~ " ' || " ~ spelling ~ " end"
            ) -%}
        {%- endfor -%}
    {%- endfor -%}
    {#- One reading of the people, and numbers from a seed: Spark's plans grow with each select of a union. -#}
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
