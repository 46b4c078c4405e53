{% if joins_probable() -%}
with placed as (
    select
        certain_clusters.*,
        coalesce(probable.cluster_id, certain_clusters.certain_cluster_id) as cluster_id
    from {{ ref('certain_clusters') }} as certain_clusters
    left join {{ ref('probable_clusters') }} as probable on certain_clusters.certain_cluster_id = probable.certain_cluster_id
),
{%- else -%}
with placed as (
    select
        *,
        certain_cluster_id as cluster_id
    from {{ ref('certain_clusters') }}
),
{%- endif %}

-- The oldest record gives the id, so that when two customers turn out to be one the older id lives on.
minted as (
    select
        *,
        first_value(record_key) over (
            partition by cluster_id order by first_seen_at nulls last, record_key
        ) as oldest_record_key
    from placed
)

select
    record_key,
    record_type,
    record_id,
    {{ mint_customer_id('oldest_record_key') }} as customer_id,
    certain_cluster_id,
    cluster_state,
    first_seen_at
from minted
