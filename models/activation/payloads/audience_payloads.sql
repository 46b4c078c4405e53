-- Of each member, the JSON of every field that the audience carries for them; null where it carries none. One pass: which
-- audience carries what is known when this is compiled.
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

-- No floor under this knows who is in which audience, so this is built after the list:
-- depends_on: {{ ref('audience_catalog') }}
valued as (
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
from valued
