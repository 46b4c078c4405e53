-- n_soft_bounces starts at zero after each delivery, open or click.
select
    customer_id,
    'marketing' as scope,
    last_soft_bounced_at as since,
    {{ date_add('day', var('soft_bounce_days'), 'last_soft_bounced_at') }} as until,
    {{ counted('n_soft_bounces', 'soft bounce') }} || ' in a row, the last on '
    || {{ day_text('last_soft_bounced_at') }} || '.' as reason
from {{ ref('customer_message_counts') }}
where n_soft_bounces >= {{ var('soft_bounce_max') }}
