select
    customer_id,
    customer_id as subject_id,
    cast(null as {{ dbt.type_string() }}) as subject_name,
    cast(since as timestamp) as happened_at,
    cast(null as decimal(18, 2)) as amount,
    sentence as reason
from {{ ref('lifecycle_stages') }}
where stage = 'at_risk' and cast(since as timestamp) > {{ trigger_since() }}
