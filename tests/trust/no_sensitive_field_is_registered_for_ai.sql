-- Fields about health, belief or money troubles serve no AI, advertising or pricing.
select
    purpose,
    model_name,
    column_name
from {{ ref('purpose_register') }}
where pii = 'sensitive' and purpose in ('ai_recommendations', 'behavioural_advertising', 'automated_pricing')
