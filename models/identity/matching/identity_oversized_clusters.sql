select
    component_id,
    count(*) as n_records
from {{ ref('identity_clusters') }}
group by component_id
having count(*) > {{ var('identity_max_records_per_customer') }}
