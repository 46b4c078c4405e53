-- No edge spans two customers, unless the cluster was oversized and that edge was cut.
with records as (
    select
        {{ node_id('record_key') }} as node_id,
        customer_id,
        cluster_state
    from {{ ref('record_customers') }}
)

select
    edges.identifier_type,
    edges.identifier,
    first_records.customer_id,
    records.customer_id as other_customer_id
from {{ ref('identity_edges') }} as edges
inner join records as first_records on edges.first_node_id = first_records.node_id
inner join records on edges.node_id = records.node_id
where
    first_records.customer_id <> records.customer_id
    and first_records.cluster_state <> 'quarantined'
    and not (first_records.cluster_state = 'broken' and edges.identifier_type = 'phone')
