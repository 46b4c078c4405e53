-- A chain of edges joins all records of a customer: one cluster, or several that probable edges join.
with clusters as (
    select
        records.customer_id,
        {% if joins_probable() -%}
        coalesce(probable.component_id, clusters.component_id, {{ node_id('records.record_key') }}) as component_id
        {%- else -%}
        coalesce(clusters.component_id, {{ node_id('records.record_key') }}) as component_id
        {%- endif %}
    from {{ ref('record_customers') }} as records
    left join {{ ref('identity_clusters') }} as clusters on {{ node_id('records.record_key') }} = clusters.node_id
    {%- if joins_probable() %}
    left join {{ ref('probable_components') }} as probable on records.certain_cluster_id = probable.node_id
    {%- endif %}
)

select
    customer_id,
    count(distinct component_id) as n_clusters
from clusters
group by customer_id
having count(distinct component_id) > 1
