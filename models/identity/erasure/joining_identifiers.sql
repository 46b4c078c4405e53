-- What may join records joins them to an erased person too, with the same caution (see person_identifiers): of a cluster that was
-- too large only what still counted there.
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
