-- What may join records joins them to an erased person too, with the same caution (see person_identifiers): of a cluster that was
-- too large only what still counted there.
select
    records.record_key,
    records.customer_id,
    identifiers.identifier_type,
    identifiers.identifier,
    names.given_1,
    names.given_letters,
    names.family_whole,
    {% for place in range(1, 7) -%}
    names.full_{{ place }},
    {% endfor -%}
    names.is_known,
    names.has_latin_given
from {{ ref('person_identifiers') }} as identifiers
inner join {{ ref('record_clusters') }} as records on identifiers.record_key = records.record_key
left join {{ ref('person_names') }} as names on identifiers.name_key = names.name_key
where
    identifiers.why_not is null
    and records.cluster_state <> 'quarantined'
    and not (records.cluster_state = 'broken' and identifiers.identifier_type = 'phone')
