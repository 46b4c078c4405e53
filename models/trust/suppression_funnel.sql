-- Today as it is now, and the builds before as they were then.
{% for counts in ['suppression_counts', 'suppression_count_log'] -%}
select
    measured_at,
    rule,
    rule_number,
    n_customers,
    n_suppressed,
    n_only,
    n_removed,
    n_left
from {{ ref(counts) }}
{{ 'union all' if loop.first else 'where measured_at < ' ~ as_of() }}
{% endfor %}
