-- A star per shared identifier: every record that has it is joined to one of them, so n records cost n - 1 edges.
-- Records stand here as numbers only: at millions of records half the time went into writing their keys.
with usable as (
    select
        identifier_type,
        joins_by,
        {{ node_id('record_key') }} as node_id
    from {{ ref('person_identifiers') }}
    where why_not is null
),

shared as (
    select
        identifier_type,
        joins_by,
        min(node_id) as first_node_id
    from usable
    group by identifier_type, joins_by
    having count(*) > 1
)

select
    usable.identifier_type,
    usable.joins_by,
    shared.first_node_id,
    usable.node_id
from usable
inner join shared on usable.identifier_type = shared.identifier_type and usable.joins_by = shared.joins_by
where usable.node_id <> shared.first_node_id
