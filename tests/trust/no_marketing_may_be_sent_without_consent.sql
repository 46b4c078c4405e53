-- Holds for every message class except transactional. The consent must not have expired.
select contactability.*
from {{ ref('contactability') }} as contactability
left join {{ ref('consents') }} as consents
    on
        contactability.customer_id = consents.customer_id
        and contactability.channel = consents.channel
        and consents.purpose = 'marketing_email'
        and consents.is_allowed
        and coalesce(consents.expires_at > {{ as_of() }}, true)
where
    contactability.message_class <> 'transactional'
    and contactability.is_allowed
    and consents.customer_id is null
