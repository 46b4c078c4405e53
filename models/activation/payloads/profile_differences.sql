-- Separate from sync_outbox because Spark takes too long to plan both in one query.
{%- set fields = profile_field_entries() %}
with routes as (
    select
        destination,
        audience
    from {{ ref('audience_catalog') }}
    where not is_suppression
),

profile_states as (
    select * from {{ ref('esp_profile_state') }}
),

desired_profiles as (
    select
        routes.destination,
        payloads.*
    from {{ ref('audience_payloads') }} as payloads
    inner join routes on payloads.audience = routes.audience
),

profile_pairs as (
    select
        {% for field in fields -%}
        {%- set name = field.column_name -%}
        desired_profiles.{{ name }},
        {{ value_hash('desired_profiles.' ~ name) }} as {{ name }}_wanted,
        {{ held_hash('profile_states.held', name) }} as {{ name }}_held,
        {{ held_hash('coalesce(profile_states.may_hold, profile_states.held)', name) }} as {{ name }}_maybe,
        {% endfor -%}
        coalesce(desired_profiles.destination, profile_states.destination) as destination,
        coalesce(desired_profiles.audience, profile_states.audience) as audience,
        coalesce(desired_profiles.email, profile_states.email) as email,
        coalesce(desired_profiles.customer_id, profile_states.customer_id) as customer_id,
        desired_profiles.customer_id is not null as is_desired,
        coalesce(profile_states.state = 'member', false) as is_member,
        coalesce(profile_states.customer_id = desired_profiles.customer_id, false)
        and coalesce({{ held_hash('coalesce(profile_states.may_hold, profile_states.held)', 'customer_id') }}, '')
        = coalesce({{ held_hash('profile_states.held', 'customer_id') }}, '') as is_same_customer,
        desired_profiles.reason,
        -- The same change stays the same row while its answer is open. Each accepted removal starts a new row.
        case when desired_profiles.customer_id is null then profile_states.since else profile_states.accepted_at end as since
    from desired_profiles
    full join profile_states
        on
            desired_profiles.destination = profile_states.destination
            and desired_profiles.audience = profile_states.audience
            and desired_profiles.email = profile_states.email
    where
        case
            when desired_profiles.audience is null then profile_states.state in ('member', 'unconfirmed')
            else
                profile_states.state is distinct from 'member'
                or desired_profiles.held is distinct from profile_states.held
                or desired_profiles.held <> profile_states.may_hold
        end
),

-- Value to send for each field: the new value if it differs from what the ESP holds or may hold, or null to clear it. All
-- other fields stay as they are at the ESP.
profile_changes as (
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
    from profile_pairs
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
    coalesce(reason, 'No longer in the audience.') as reason,
    case when operation in ('add', 'update') then {{ object_as_json('customer_id', pieces) }} end as payload,
    case when operation in ('add', 'update') then {{ held_object('customer_id', hashes) }} end as held,
    since
from profile_changes
where
    operation <> 'update'
    or not is_same_customer
    or coalesce({{ fields | map(attribute='column_name') | join(', ') }}) is not null
