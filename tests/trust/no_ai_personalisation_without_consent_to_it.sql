-- Consent to marketing e-mail is not enough: AI needs its own consent.
select contactability.*
from {{ ref('contactability') }} as contactability
left join {{ ref('consents') }} as consents
    on
        contactability.customer_id = consents.customer_id
        and contactability.channel = consents.channel
        and consents.purpose = 'ai_recommendations'
        and consents.is_allowed
where contactability.is_ai_personalisation_allowed and consents.customer_id is null
