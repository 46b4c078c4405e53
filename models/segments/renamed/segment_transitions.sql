select * from {{ ref('lifecycle_transitions') }}
