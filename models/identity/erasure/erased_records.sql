select
    record_key,
    record_type,
    record_id,
    customer_id
from {{ ref('known_records') }}
where not is_back
