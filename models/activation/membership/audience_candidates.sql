-- The audiences of var audiences, which names every file in models/activation/audiences.
{% for audience in var('audiences') -%}
select
    customer_id,
    '{{ audience }}' as audience,
    reason
from {{ ref(audience) }}
{{ 'union all' if not loop.last }}
{% endfor %}
