-- Members of every segment in var segments.
{%- set banded = segment_entries() | selectattr('has_band', 'defined') | selectattr('has_band') | map(attribute='segment') | list %}

{% for segment in var('segments') -%}
select
    customer_id,
    '{{ segment }}' as segment,
    {{ 'may_enter' if segment in banded else 'true as may_enter' }},
    reason
from {{ ref(segment) }}
{{ 'union all' if not loop.last }}
{% endfor %}
