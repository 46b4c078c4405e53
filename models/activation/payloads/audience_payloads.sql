-- JSON of every field that the audience carries for the member, null for all other fields. One pass over the members: the
-- fields of each audience are known at compile time.
{%- set audiences = audience_entries() %}
{%- set fields = profile_field_entries() %}
with members as (
    select
        decisions.audience,
        decisions.is_ai_personalisation_allowed,
        decisions.reason,
        profile_fields.*
    from {{ ref('audience_decisions') }} as decisions
    inner join {{ ref('profile_fields') }} as profile_fields on decisions.customer_id = profile_fields.customer_id
    where decisions.is_member
),

-- Needs the list of audiences to be built first:
-- depends_on: {{ ref('audience_catalog') }}
field_values as (
    select
        {% for field in fields -%}
        {{ carried_json(field, audiences) }} as {{ field.column_name }},
        {% endfor -%}
        audience,
        customer_id,
        email,
        reason
    from members
)

select
    audience,
    customer_id,
    email,
    reason,
    {% for field in fields -%}
    {{ field.column_name }},
    {% endfor -%}
    {{ held_text(fields) }} as held
from field_values
