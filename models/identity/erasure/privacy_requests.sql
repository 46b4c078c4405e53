-- The desk's current requests, each with its own id and a clock.
with desk_requests as (
    select * from {{ ref('desk_requests') }}
),

first_receipts as (
    select
        request_id,
        desk_request_id,
        names_hash,
        min(received_at) over (partition by request_id) as received_at,
        min(recorded_at) over (partition by request_id) as recorded_at
    from {{ ref('request_ledger') }}
),

identified_requests as (
    select
        desk_requests.*,
        coalesce(first_receipts.request_id, desk_requests.desk_request_id) as named_id,
        coalesce(first_receipts.received_at, desk_requests.dated_at, {{ as_of() }}) as first_received_at,
        coalesce(first_receipts.recorded_at, {{ as_of() }}) as recorded_at,
        row_number() over (
            partition by coalesce(first_receipts.request_id, desk_requests.desk_request_id), desk_requests.request_type
            order by desk_requests.place
        ) as copy_number
    from desk_requests
    left join first_receipts
        on
            desk_requests.desk_request_id = first_receipts.desk_request_id
            and desk_requests.names_hash = first_receipts.names_hash
),

-- One id with two types is two requests.
numbered_requests as (
    select
        *,
        row_number() over (partition by named_id order by place) as place_of_type,
        count(*) over (partition by desk_request_id) as n_of_id
    from identified_requests
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
    -- Never later than the first build that saw it: a new date does not restart the clock.
    least(coalesce(dated_at, first_received_at), recorded_at, {{ as_of() }}) as received_at,
    first_received_at,
    dated_at is not null as is_dated,
    is_dated_ahead and recorded_at > {{ as_of() }} as is_still_to_come,
    completed_at,
    nullif({{ joined('; ', ["issue", "case when n_of_id > 1 then 'another request has the same id' end"]) }}, '') as issue
from numbered_requests
