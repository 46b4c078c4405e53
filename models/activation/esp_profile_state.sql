-- By the last answer that was a yes. An address is what an ESP knows people by, once in a batch, so that no two answers are
-- of one moment; the receipts of one that was deleted there name it no more.
with last_answers as (
    select
        destination,
        audience,
        email,
        max(answered_at) as answered_at,
        {{ value_at_max('operation', 'answered_at', is_unique=true) }} as operation,
        {{ value_at_max("coalesce(code, '')", 'answered_at', is_unique=true) }} as code,
        {{ value_at_max('customer_id', 'answered_at', is_unique=true) }} as customer_id,
        {{ value_at_max('held', 'answered_at', is_unique=true) }} as held
    from {{ ref('sync_receipts') }}
    where status = 'accepted' and operation <> 'delete' and email is not null
    group by destination, audience, email
)

select
    destination,
    audience,
    email,
    customer_id,
    case
        when operation in ('add', 'update') then 'member'
        when operation = 'suppress' then 'suppressed'
        else 'removed'
    end as state,
    held,
    answered_at as since
from last_answers
-- Whom it did not know when they were suppressed, it may know by now.
where operation <> 'suppress' or code <> 'not_there' or cast(answered_at as date) >= {{ days_before(as_of(), var('suppress_again_days')) }}
