-- Until the address changes: mailbox providers count mail to dead addresses against the sender.
select
    customer_id,
    'everything' as scope,
    hard_bounced_at as since,
    cast(null as timestamp) as until,
    'The mailbox refused mail for good on ' || {{ day_text('hard_bounced_at') }} || '.' as reason
from {{ ref('customer_messages') }}
where hard_bounced_at is not null
