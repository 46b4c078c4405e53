{{ config(materialized='connected_components') }}
-- What the probable edges would join, if all of them did.
select
    first_cluster_id as left_id,
    cluster_id as right_id
from {{ ref('probable_edges') }}
