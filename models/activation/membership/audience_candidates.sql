-- Members of every audience in var audiences.
{% for audience in var('audiences') -%}
select
    customer_id,
    '{{ audience }}' as audience,
    reason
from {{ ref(audience) }}
{{ 'union all' if not loop.last }}
{% endfor %}
