-- Entering needs more sessions and clicks than staying.
select
    customer_id,
    tier = 'highly_engaged' as may_enter,
    {{ counted('n_actions_30d', 'session or click', 'sessions and clicks') }} || ' in 30 days.' as reason
from {{ ref('engagement_tiers') }}
where n_actions_30d >= {{ var('highly_engaged_actions') - var('highly_engaged_band') }}
