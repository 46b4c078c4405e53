-- Ends when the oldest of the last frequency_cap_messages messages leaves the window.
select
    customer_id,
    'marketing' as scope,
    capped_at as since,
    {{ date_add('day', var('frequency_cap_days'), 'cap_sent_at') }} as until,
    'Was sent ' || {{ counted('n_marketing_messages', 'marketing message') }} || ' in {{ var("frequency_cap_days") }} days.' as reason
from {{ ref('customer_message_counts') }}
where n_marketing_messages >= {{ var('frequency_cap_messages') }}
