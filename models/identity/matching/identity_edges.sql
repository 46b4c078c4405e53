-- Which records are joined. If no names had to be compared, a star per identifier: every record is joined to one of them, so n
-- records cost n - 1 edges. Otherwise the pairs that were found to be one person.
-- Records are numbers here: with millions of records, writing their keys took half the time.
with usable_identifiers as (
    select
        identifier_type,
        identifier,
        record_key,
        is_compared,
        {{ node_id('record_key') }} as node_id
    from {{ ref('person_identifiers') }}
    where why_not is null
),

star_centres as (
    select
        identifier_type,
        identifier,
        min(node_id) as first_node_id
    from usable_identifiers
    where not is_compared
    group by identifier_type, identifier
    having count(*) > 1
)

select
    usable_identifiers.identifier_type,
    usable_identifiers.identifier,
    star_centres.first_node_id,
    usable_identifiers.node_id
from usable_identifiers
inner join star_centres
    on
        usable_identifiers.identifier_type = star_centres.identifier_type
        and usable_identifiers.identifier = star_centres.identifier
where usable_identifiers.node_id <> star_centres.first_node_id
union all
select
    compared.identifier_type,
    compared.identifier,
    one.node_id as first_node_id,
    other.node_id
from {{ ref('compared_records') }} as compared
inner join usable_identifiers as one
    on
        compared.identifier_type = one.identifier_type
        and compared.identifier = one.identifier
        and compared.record_key = one.record_key
inner join usable_identifiers as other
    on
        compared.identifier_type = other.identifier_type
        and compared.identifier = other.identifier
        and compared.other_record_key = other.record_key
where compared.verdict in ('same', 'fits')
