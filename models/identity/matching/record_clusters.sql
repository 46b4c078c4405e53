{% if joins_probable() -%}
with clustered_records as (
    select
        certain_clusters.*,
        coalesce(probable.cluster_id, certain_clusters.certain_cluster_id) as cluster_id
    from {{ ref('certain_clusters') }} as certain_clusters
    left join {{ ref('probable_clusters') }} as probable on certain_clusters.certain_cluster_id = probable.certain_cluster_id
),
{%- else -%}
with clustered_records as (
    select
        *,
        certain_cluster_id as cluster_id
    from {{ ref('certain_clusters') }}
),
{%- endif %}

-- The oldest record gives the id, so when two customers are merged, the older id stays.
records_by_age as (
    select
        *,
        first_value(record_key) over (
            partition by cluster_id order by first_seen_at nulls last, record_key
        ) as oldest_record_key
    from clustered_records
)

select
    record_key,
    record_type,
    record_id,
    {{ mint_customer_id('oldest_record_key') }} as customer_id,
    certain_cluster_id,
    cluster_state,
    first_seen_at
from records_by_age
