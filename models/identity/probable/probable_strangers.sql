-- Clusters that a chain of probable edges leads from one to the other, and that are two people: Anna, A. and Anton.
with sizes as (
    select component_id
    from {{ ref('probable_components') }}
    group by component_id
    -- A longer chain is too large for one customer: probable_clusters joins no more than pairs there, and these were compared.
    having count(*) <= {{ var('identity_max_records_per_customer') }}
),

chained as (
    select
        one.node_id as first_cluster_id,
        other.node_id as cluster_id
    from {{ ref('probable_components') }} as one
    inner join {{ ref('probable_components') }} as other
        on one.component_id = other.component_id and one.node_id < other.node_id
    inner join sizes on one.component_id = sizes.component_id
),

{{ clusters_of_two_people('chained') }}

select
    chained.first_cluster_id,
    chained.cluster_id
from chained
inner join clusters_of_two_people as strangers
    on chained.first_cluster_id = strangers.first_cluster_id and chained.cluster_id = strangers.cluster_id
