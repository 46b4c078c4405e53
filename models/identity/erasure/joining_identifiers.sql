-- Identifiers that may join records also lead to an erased person, with the same guards (see person_identifiers). Of an
-- oversized cluster, only those that still joined there.
select
    records.record_key,
    records.customer_id,
    identifiers.identifier_type,
    identifiers.identifier,
    identifiers.name_key,
    names.given_1 is not null as has_given_name
from {{ ref('person_identifiers') }} as identifiers
inner join {{ ref('record_clusters') }} as records on identifiers.record_key = records.record_key
left join {{ ref('person_names') }} as names on identifiers.name_key = names.name_key
where
    identifiers.why_not is null
    and records.cluster_state <> 'quarantined'
    and not (records.cluster_state = 'broken' and identifiers.identifier_type = 'phone')
