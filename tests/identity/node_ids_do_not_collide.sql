-- No two records have the same node in the graph.
select
    {{ node_id('record_key') }} as node_id,
    count(distinct record_key) as n_records
from {{ ref('identity_records') }}
group by {{ node_id('record_key') }}
having count(distinct record_key) > 1
