-- No customer has records that no chain of edges joins: one customer, one cluster.
with clusters as (
    select
        records.customer_id,
        coalesce(clusters.component_id, {{ node_id('records.record_key') }}) as component_id
    from {{ ref('record_customers') }} as records
    left join {{ ref('identity_clusters') }} as clusters on {{ node_id('records.record_key') }} = clusters.node_id
)

select
    customer_id,
    count(distinct component_id) as n_clusters
from clusters
group by customer_id
having count(distinct component_id) > 1
