with tickets as (
    select * from {{ ref('stg_support__tickets') }}
),

records as (
    select
        record_key,
        customer_id
    from {{ ref('record_customers') }}
)

select
    tickets.ticket_id,
    records.customer_id,
    tickets.ticket_status,
    tickets.topic,
    coalesce({{ has_words('tickets.subject', 'stop_words') }}, false) as asks_to_stop,
    case when coalesce(tickets.solved_at, tickets.updated_at) <= {{ as_of() }} then tickets.satisfaction end as satisfaction,
    -- A ticket solved after as_of() was still open at as_of().
    coalesce(tickets.solved_at > {{ as_of() }}, tickets.ticket_status in ('new', 'open', 'pending')) as is_open,
    tickets.created_at,
    tickets.updated_at,
    tickets.solved_at
from tickets
inner join records
    on records.record_key = 'support_requester:' || tickets.requester_id
