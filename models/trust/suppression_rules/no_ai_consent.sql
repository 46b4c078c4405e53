select
    customer_id,
    'AI-personalised' as scope,
    since,
    cast(null as timestamp) as until,
    reason
from {{ ref('consents') }}
where channel = 'email' and purpose = 'ai_recommendations' and not is_allowed
