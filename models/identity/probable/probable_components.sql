{{ config(materialized='connected_components') }}
-- The components if all probable edges joined.
select
    first_cluster_id as left_id,
    cluster_id as right_id
from {{ ref('probable_edges') }}
