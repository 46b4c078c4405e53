-- The desk's requests of today, each under one id of its own and with a clock.
with desk_requests as (
    select * from {{ ref('desk_requests') }}
),

ledger as (
    select
        request_id,
        desk_request_id,
        names_hash,
        min(received_at) over (partition by request_id) as received_at,
        min(recorded_at) over (partition by request_id) as recorded_at
    from {{ ref('request_ledger') }}
),

identified as (
    select
        desk_requests.*,
        coalesce(ledger.request_id, desk_requests.desk_request_id) as named_id,
        coalesce(ledger.received_at, desk_requests.dated_at, {{ as_of() }}) as first_received_at,
        coalesce(ledger.recorded_at, {{ as_of() }}) as recorded_at,
        row_number() over (
            partition by coalesce(ledger.request_id, desk_requests.desk_request_id), desk_requests.request_type
            order by desk_requests.place
        ) as copy_number
    from desk_requests
    left join ledger
        on desk_requests.desk_request_id = ledger.desk_request_id and desk_requests.names_hash = ledger.names_hash
),

-- One id with two types is two requests.
numbered as (
    select
        *,
        row_number() over (partition by named_id order by place) as place_of_type,
        count(*) over (partition by desk_request_id) as n_of_id
    from identified
    where copy_number = 1
)

select
    case when place_of_type = 1 then named_id else named_id || ' / ' || request_type end as request_id,
    desk_request_id,
    email,
    phone,
    shop_customer_id,
    request_type,
    request_status,
    may_be_refused,
    -- Never later than the day we learned of it: a new date does not start the clock again.
    least(coalesce(dated_at, first_received_at), recorded_at, {{ as_of() }}) as received_at,
    first_received_at,
    dated_at is not null as is_dated,
    is_dated_ahead and recorded_at > {{ as_of() }} as is_still_to_come,
    completed_at,
    nullif({{ joined('; ', ["issue", "case when n_of_id > 1 then 'its id is that of another request too' end"]) }}, '') as issue
from numbered
