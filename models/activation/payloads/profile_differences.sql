-- Apart from the outbox because Spark would plan both in one query for longer than anybody waits.
{%- set fields = profile_field_entries() %}
with routes as (
    select
        destination,
        audience
    from {{ ref('audience_catalog') }}
    where not is_suppression
),

held as (
    select * from {{ ref('esp_profile_state') }}
),

desired as (
    select
        routes.destination,
        payloads.*
    from {{ ref('audience_payloads') }} as payloads
    inner join routes on payloads.audience = routes.audience
),

compared as (
    select
        {% for field in fields -%}
        {%- set name = field.column_name -%}
        desired.{{ name }},
        {{ value_hash('desired.' ~ name) }} as {{ name }}_wanted,
        {{ held_hash('held.held', name) }} as {{ name }}_held,
        {{ held_hash('coalesce(held.may_hold, held.held)', name) }} as {{ name }}_maybe,
        {% endfor -%}
        coalesce(desired.destination, held.destination) as destination,
        coalesce(desired.audience, held.audience) as audience,
        coalesce(desired.email, held.email) as email,
        coalesce(desired.customer_id, held.customer_id) as customer_id,
        desired.customer_id is not null as is_desired,
        coalesce(held.state = 'member', false) as is_member,
        coalesce(held.customer_id = desired.customer_id, false)
        and coalesce({{ held_hash('coalesce(held.may_hold, held.held)', 'customer_id') }}, '')
        = coalesce({{ held_hash('held.held', 'customer_id') }}, '') as is_same_customer,
        desired.reason,
        -- The same wish stays the same row while its answer is open; each removal that was accepted asks for another.
        case when desired.customer_id is null then held.since else held.accepted_at end as since
    from desired
    full join held
        on
            desired.destination = held.destination
            and desired.audience = held.audience
            and desired.email = held.email
    where
        case
            when desired.audience is null then held.state in ('member', 'unconfirmed')
            else
                held.state is distinct from 'member'
                or desired.held is distinct from held.held
                or desired.held <> held.may_hold
        end
),

-- What would go out of each field: its new value where that differs from what the ESP holds or may hold, null where it is
-- to be cleared. What is neither wanted nor cleared stays as the ESP holds it.
changed as (
    select
        {% for field in fields -%}
        {%- set name, is_cleared = field.column_name, field.get('is_cleared', false) | string | lower -%}
        case
            when
                is_member
                and coalesce({{ name }}_wanted, '') = coalesce({{ name }}_held, '')
                and coalesce({{ name }}_wanted, '') = coalesce({{ name }}_maybe, '')
                then null
            when {{ name }} is not null then {{ name }}
            when is_member and {{ is_cleared }} then 'null'
        end as {{ name }},
        case
            when {{ name }} is not null then {{ name }}_wanted
            when is_member and not {{ is_cleared }} and {{ name }}_held = {{ name }}_maybe then {{ name }}_held
        end as {{ name }}_then,
        {% endfor -%}
        destination,
        audience,
        email,
        customer_id,
        case
            when is_desired and is_member then 'update'
            when is_desired then 'add'
            else 'remove'
        end as operation,
        is_same_customer,
        reason,
        since
    from compared
)

{% set pieces, hashes = [], [] -%}
{%- for field in fields -%}
{%- do pieces.append("'\"" ~ field.column_name ~ "\": ' || " ~ field.column_name) -%}
{%- do hashes.append("'" ~ field.column_name ~ "=' || " ~ field.column_name ~ "_then || ';'") -%}
{%- endfor -%}
select
    destination,
    audience,
    email,
    customer_id,
    operation,
    coalesce(reason, 'Is no longer in it.') as reason,
    case when operation in ('add', 'update') then {{ object_as_json('customer_id', pieces) }} end as payload,
    case when operation in ('add', 'update') then {{ held_object('customer_id', hashes) }} end as held,
    since
from changed
where
    operation <> 'update'
    or not is_same_customer
    or coalesce({{ fields | map(attribute='column_name') | join(', ') }}) is not null
