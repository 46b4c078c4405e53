select
    stat_id,
    ip,
    stat_on,
    n_recipients,
    lower(filter_result) as filter_result,
    complaint_share,
    n_trap_hits
from {{ ref('base_deliverability__ip_stats') }}
where reject_reason is null
