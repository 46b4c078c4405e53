-- Oversized clusters without their weakest identifier: people share phones more often than mailboxes.
{{ config(materialized='connected_components') }}

select
    edges.first_node_id as left_id,
    edges.node_id as right_id
from {{ ref('identity_edges') }} as edges
inner join {{ ref('identity_clusters') }} as clusters on edges.node_id = clusters.node_id
inner join {{ ref('identity_oversized_clusters') }} as oversized on clusters.component_id = oversized.component_id
where edges.identifier_type <> 'phone'
