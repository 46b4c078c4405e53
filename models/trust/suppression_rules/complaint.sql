-- A later opt-in by the person ends it; consents decides which one counts.
select
    messages.customer_id,
    'marketing' as scope,
    messages.last_complained_at as since,
    cast(null as timestamp) as until,
    'Reported a message as spam on ' || {{ day_text('messages.last_complained_at') }} || '.' as reason
from {{ ref('customer_message_counts') }} as messages
left join {{ ref('consents') }} as consents
    on
        messages.customer_id = consents.customer_id
        and consents.channel = 'email'
        and consents.purpose = 'marketing_email'
where messages.last_complained_at is not null and coalesce(not consents.is_allowed, true)
