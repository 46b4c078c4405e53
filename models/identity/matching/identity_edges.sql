-- Which records are joined. Where nothing had to be compared, a star per identifier: every record that has it is joined to one of
-- them, so n records cost n - 1 edges. Else the pairs that were found to be one person.
-- Records stand here as numbers only: at millions of records half the time went into writing their keys.
with usable as (
    select
        identifier_type,
        identifier,
        record_key,
        is_compared,
        {{ node_id('record_key') }} as node_id
    from {{ ref('person_identifiers') }}
    where why_not is null
),

shared as (
    select
        identifier_type,
        identifier,
        min(node_id) as first_node_id
    from usable
    where not is_compared
    group by identifier_type, identifier
    having count(*) > 1
)

select
    usable.identifier_type,
    usable.identifier,
    shared.first_node_id,
    usable.node_id
from usable
inner join shared on usable.identifier_type = shared.identifier_type and usable.identifier = shared.identifier
where usable.node_id <> shared.first_node_id
union all
select
    compared.identifier_type,
    compared.identifier,
    one.node_id as first_node_id,
    other.node_id
from {{ ref('compared_records') }} as compared
inner join usable as one
    on
        compared.identifier_type = one.identifier_type
        and compared.identifier = one.identifier
        and compared.record_key = one.record_key
inner join usable as other
    on
        compared.identifier_type = other.identifier_type
        and compared.identifier = other.identifier
        and compared.other_record_key = other.record_key
where compared.verdict in ('same', 'fits')
