{%- set fields = profile_field_entries() %}
with changes as (
    select
        audience,
        customer_id,
        max(changed_at) as since
    from {{ ref('audience_changes') }}
    where is_member and changed_at <= {{ as_of() }}
    group by audience, customer_id
)

select
    payloads.audience,
    payloads.customer_id,
    coalesce(changes.since, {{ as_of() }}) as since,
    payloads.reason,
    payloads.email,
    {% set pieces = [] -%}
    {%- for field in fields -%}{%- do pieces.append("'\"" ~ field.column_name ~ "\": ' || payloads." ~ field.column_name) -%}{%- endfor -%}
    {{ object_as_json('payloads.customer_id', pieces) }} as payload
from {{ ref('audience_payloads') }} as payloads
left join changes on payloads.audience = changes.audience and payloads.customer_id = changes.customer_id
