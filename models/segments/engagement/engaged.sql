-- Customers with a recent session, order or click, including the highly engaged. Members stay some days longer.
select
    customer_id,
    days_since_last_action <= {{ var('engaged_days') }} as may_enter,
    sentence as reason
from {{ ref('engagement_tiers') }}
where days_since_last_action <= {{ var('engaged_days') + var('engaged_band_days') }}
