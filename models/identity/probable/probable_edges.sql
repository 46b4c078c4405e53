-- The probable pairs that may join two clusters: at or above var identity_probable_from, and with no two records of different
-- people between the clusters. Of several pairs between two clusters, the most probable one is kept.
with pairs as (
    select * from {{ ref('probable_pairs') }} where probability >= {{ var('identity_probable_from') }}
),

clusters as (
    select
        record_key,
        certain_cluster_id,
        count(*) over (partition by certain_cluster_id) as n_records
    from {{ ref('certain_clusters') }}
    -- Quarantined clusters are joined too much already.
    where cluster_state <> 'quarantined'
),

records as (
    select
        record_key,
        {{ name_key('first_name', 'last_name') }} as name_key,
        birth_date
    from {{ ref('identity_records') }}
),

cross_cluster_pairs as (
    select
        pairs.record_key,
        pairs.other_record_key,
        pairs.probability,
        pairs.evidence,
        least(one.certain_cluster_id, other.certain_cluster_id) as first_cluster_id,
        greatest(one.certain_cluster_id, other.certain_cluster_id) as cluster_id,
        case when one.certain_cluster_id < other.certain_cluster_id then one.n_records else other.n_records end as first_n_records,
        case when one.certain_cluster_id < other.certain_cluster_id then other.n_records else one.n_records end as n_records,
        records.name_key,
        records.birth_date,
        other_records.name_key as other_name_key,
        other_records.birth_date as other_birth_date
    from pairs
    inner join clusters as one on pairs.record_key = one.record_key
    inner join clusters as other on pairs.other_record_key = other.record_key
    inner join records on pairs.record_key = records.record_key
    inner join records as other_records on pairs.other_record_key = other_records.record_key
    where one.certain_cluster_id <> other.certain_cluster_id
),

-- The pair itself must also agree: on the given name, and on the family name or birth date.
agreeing_pairs as (
    select
        *,
        row_number() over (
            partition by first_cluster_id, cluster_id order by probability desc, record_key asc, other_record_key asc
        ) as most_probable_first
    from {{ with_two_people('cross_cluster_pairs') }} as compared
    where
        different_because is null
        and given_names in ('same', 'typo', 'scrambled')
        and (family_names <> 'different' or birth_dates in ('same', 'near'))
),

edges as (
    select * from agreeing_pairs where most_probable_first = 1
),

{{ clusters_of_two_people('edges') }}

select
    edges.first_cluster_id,
    edges.cluster_id,
    edges.first_n_records,
    edges.n_records,
    edges.record_key,
    edges.other_record_key,
    edges.probability,
    edges.evidence
from edges
left join clusters_of_two_people as strangers
    on edges.first_cluster_id = strangers.first_cluster_id and edges.cluster_id = strangers.cluster_id
where strangers.cluster_id is null
