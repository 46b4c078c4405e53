select
    customer_id,
    'Asked for news on ' || replace(preferred_categories, ',', ', ') || '.' as reason
from {{ ref('customers') }}
where preferred_categories is not null
