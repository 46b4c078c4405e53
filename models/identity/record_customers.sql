-- The one place where erased persons leave: everything above takes its customers from here or from visitor_customers.
select records.*
from {{ ref('record_clusters') }} as records
left join {{ ref('erased_records') }} as erased on records.record_key = erased.record_key
where erased.record_key is null
