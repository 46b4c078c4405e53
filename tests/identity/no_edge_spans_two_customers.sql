-- No edge spans two customers, unless the cluster was oversized and that edge was cut.
select
    edges.identifier_type,
    edges.joins_by,
    first_records.customer_id,
    records.customer_id as other_customer_id
from {{ ref('identity_edges') }} as edges
inner join {{ ref('record_customers') }} as first_records on edges.first_record_key = first_records.record_key
inner join {{ ref('record_customers') }} as records on edges.record_key = records.record_key
where
    first_records.customer_id <> records.customer_id
    and first_records.cluster_state <> 'quarantined'
    and not (first_records.cluster_state = 'broken' and edges.identifier_type = 'phone')
