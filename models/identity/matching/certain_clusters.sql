-- The cluster of each record by the identifiers that join for certain: addresses, numbers and accounts.
{{ config(materialized='table' if joins_probable() else 'ephemeral') }}

with records as (
    select
        record_key,
        record_type,
        record_id,
        first_seen_at,
        {{ node_id('record_key') }} as node_id
    from {{ ref('identity_records') }}
),

broken_sizes as (
    select
        component_id,
        count(*) as n_records
    from {{ ref('identity_broken_clusters') }}
    group by component_id
)

select
    records.record_key,
    records.record_type,
    records.record_id,
    records.first_seen_at,
    case
        when oversized.component_id is null then coalesce(clusters.component_id, records.node_id)
        when broken_sizes.n_records > {{ var('identity_max_records_per_customer') }} then records.node_id
        else coalesce(broken.component_id, records.node_id)
    end as certain_cluster_id,
    case
        when oversized.component_id is null then 'joined'
        when broken_sizes.n_records > {{ var('identity_max_records_per_customer') }} then 'quarantined'
        else 'broken'
    end as cluster_state
from records
left join {{ ref('identity_clusters') }} as clusters on records.node_id = clusters.node_id
left join {{ ref('identity_oversized_clusters') }} as oversized on clusters.component_id = oversized.component_id
left join {{ ref('identity_broken_clusters') }} as broken
    on oversized.component_id is not null and records.node_id = broken.node_id
left join broken_sizes on broken.component_id = broken_sizes.component_id
