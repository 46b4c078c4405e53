-- What the triggers on the list return.
{% for trigger in var('triggers') -%}
select
    '{{ trigger }}' as trigger_name,
    customer_id,
    subject_id,
    subject_name,
    happened_at,
    amount,
    reason
from {{ ref(trigger) }}
{{ 'union all' if not loop.last }}
{% endfor %}
