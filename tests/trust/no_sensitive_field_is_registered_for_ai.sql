-- Health, belief and money troubles feed no AI, no advertising and no price.
select
    purpose,
    model_name,
    column_name
from {{ ref('purpose_register') }}
where pii = 'sensitive' and purpose in ('ai_recommendations', 'behavioural_advertising', 'automated_pricing')
