select
    stat_id,
    lower(domain) as domain,
    stat_on,
    upper(metric) as metric,
    label,
    value
from {{ ref('base_deliverability__domain_stats') }}
where reject_reason is null
