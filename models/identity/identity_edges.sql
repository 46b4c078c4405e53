-- A star per shared identifier: every record that has it is joined to the first one, so n records cost n - 1 edges.
with usable as (
    select
        identifier_type,
        joins_by,
        record_key,
        min(record_key) over (partition by identifier_type, joins_by) as first_record_key
    from {{ ref('person_identifiers') }}
    where why_not is null
)

select
    first_record_key,
    record_key,
    identifier_type,
    joins_by,
    {{ node_id('first_record_key') }} as first_node_id,
    {{ node_id('record_key') }} as node_id
from usable
where record_key <> first_record_key
