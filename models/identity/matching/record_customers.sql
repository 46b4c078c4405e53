-- The one place that removes erased persons: all later models take their customers from here or from visitor_customers.
with records as (
    select
        clusters.record_key,
        clusters.record_type,
        clusters.record_id,
        clusters.customer_id,
        clusters.certain_cluster_id,
        clusters.cluster_state,
        coalesce(known.back_since, clusters.first_seen_at) as first_seen_at,
        known.erased_until,
        known.record_key is not null and not known.is_back as is_erased,
        coalesce(known.is_back, false) as is_back
    from {{ ref('record_clusters') }} as clusters
    left join {{ ref('known_records') }} as known on clusters.record_key = known.record_key
),

-- An erased person who comes back is a new customer. They keep neither the old id nor an id made from an old record alone.
ids_with_erased_records as (
    select distinct customer_id
    from records
    where is_erased or is_back
),

returned_records as (
    select
        records.*,
        first_value({{ key_since('records.record_key', 'records.erased_until') }}) over (
            partition by records.customer_id order by records.first_seen_at nulls last, records.record_key
        ) as oldest_record_key
    from records
    inner join ids_with_erased_records on records.customer_id = ids_with_erased_records.customer_id
    where not records.is_erased
)

select
    records.record_key,
    records.record_type,
    records.record_id,
    records.customer_id,
    records.certain_cluster_id,
    records.cluster_state,
    records.first_seen_at,
    records.erased_until
from records
left join ids_with_erased_records on records.customer_id = ids_with_erased_records.customer_id
where ids_with_erased_records.customer_id is null
union all
select
    record_key,
    record_type,
    record_id,
    {{ mint_customer_id('oldest_record_key') }} as customer_id,
    certain_cluster_id,
    cluster_state,
    first_seen_at,
    erased_until
from returned_records
