-- Two clusters at the ends of a chain of probable edges that are two people, for example Anna, A. and Anton.
with joinable_components as (
    select component_id
    from {{ ref('probable_components') }}
    group by component_id
    -- A longer chain is too large for one customer: there, probable_clusters joins only pairs, which were compared.
    having count(*) <= {{ var('identity_max_records_per_customer') }}
),

chained_pairs as (
    select
        one.node_id as first_cluster_id,
        other.node_id as cluster_id
    from {{ ref('probable_components') }} as one
    inner join {{ ref('probable_components') }} as other
        on one.component_id = other.component_id and one.node_id < other.node_id
    inner join joinable_components on one.component_id = joinable_components.component_id
),

{{ clusters_of_two_people('chained_pairs') }}

select
    chained_pairs.first_cluster_id,
    chained_pairs.cluster_id
from chained_pairs
inner join clusters_of_two_people as strangers
    on chained_pairs.first_cluster_id = strangers.first_cluster_id and chained_pairs.cluster_id = strangers.cluster_id
