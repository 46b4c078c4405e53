-- Nothing has been delivered or read since the first of them.
select
    customer_id,
    'marketing' as scope,
    last_soft_bounced_at as since,
    {{ dbt.dateadd('day', var('soft_bounce_days'), 'last_soft_bounced_at') }} as until,
    'The mailbox turned away ' || {{ counted('n_soft_bounces', 'message') }} || ' in a row, the last on '
    || {{ day_text('last_soft_bounced_at') }} || '.' as reason
from {{ ref('customer_message_counts') }}
where n_soft_bounces >= {{ var('soft_bounce_max') }}
