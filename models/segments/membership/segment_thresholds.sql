-- Thresholds of this build, including vars from the command line. Rebuilt whenever the candidates are:
-- depends_on: {{ ref('segment_candidates') }}
{%- set names = [
    'first_time_buyer_days', 'active_days', 'at_risk_days', 'lapsed_days',
    'lifecycle_by_own_rhythm', 'stage_rhythm_multiples', 'stage_rhythm_days',
    'conversion_rest_days', 'rest_rhythm_share',
    'highly_engaged_actions', 'engaged_days', 'lightly_engaged_days',
    'buying_habit_min_orders', 'discount_driven_min_share',
    'category_fan_min_points', 'category_fan_min_share',
    'replenishment_from', 'replenishment_until', 'replenishment_min_days',
] %}
{%- set rows = [] -%}
{%- for name in names -%}
{%- do rows.append({'threshold': name, 'value': tojson(var(name))}) -%}
{%- endfor %}
select
    threshold,
    value
from {{ literal_rows({'threshold': 'string', 'value': 'string'}, rows) }}
