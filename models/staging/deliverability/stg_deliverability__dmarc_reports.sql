select
    row_id,
    org_name,
    report_id,
    begins_at,
    lower(domain) as domain,
    source_ip,
    n_messages,
    disposition,
    is_dkim_aligned,
    is_spf_aligned
from {{ ref('base_deliverability__dmarc_reports') }}
where reject_reason is null
