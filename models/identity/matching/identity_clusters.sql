{{ config(materialized='connected_components') }}

select
    first_node_id as left_id,
    node_id as right_id
from {{ ref('identity_edges') }}
