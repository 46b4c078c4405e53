-- Whoever visited, ordered or clicked lately, the highly engaged among them; stays somewhat longer.
select
    customer_id,
    days_since_last_action <= {{ var('engaged_days') }} as may_enter,
    sentence as reason
from {{ ref('engagement_tiers') }}
where days_since_last_action <= {{ var('engaged_days') + var('engaged_band_days') }}
