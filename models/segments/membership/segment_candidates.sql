-- The list of segments. Only segments on this list are recorded.
{%- set segments = [
    'never_purchased', 'first_time_buyer', 'second_order_window', 'active', 'at_risk', 'lapsed', 'dormant',
    'vips', 'high_order_value', 'discount_driven', 'full_price_buyers',
    'category_fans', 'browsing_now', 'cart_waiting', 'replenishment_due', 'price_watchers', 'back_in_stock_watchers',
    'highly_engaged', 'engaged', 'unengaged',
    'stated_categories', 'wants_less_mail',
    'refund_heavy_buyers', 'unhappy',
] %}
{%- set banded = segment_entries() | selectattr('has_band', 'defined') | selectattr('has_band') | map(attribute='segment') | list %}

{% for segment in segments -%}
select
    customer_id,
    '{{ segment }}' as segment,
    {{ 'may_enter' if segment in banded else 'true as may_enter' }},
    reason
from {{ ref(segment) }}
{{ 'union all' if not loop.last }}
{% endfor %}
