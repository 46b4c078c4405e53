select
    customer_id,
    customer_id as subject_id,
    cast(null as {{ dbt.type_string() }}) as subject_name,
    since as happened_at,
    cast(null as decimal(18, 2)) as amount,
    reason
from {{ ref('segment_memberships') }}
where segment = 'unengaged' and since > {{ trigger_since() }}
