-- The list of audiences. Only audiences on this list have members.
{%- set audiences = [
    'welcome', 'active_buyers', 'vip_early_access', 'win_back', 'order_expected', 'refill_reminder', 'cart_reminder',
    'likely_buyers', 'do_not_mail',
] %}

{% for audience in audiences -%}
select
    customer_id,
    '{{ audience }}' as audience,
    reason
from {{ ref(audience) }}
{{ 'union all' if not loop.last }}
{% endfor %}
