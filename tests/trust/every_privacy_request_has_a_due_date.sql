-- Every request has a deadline, whatever its country.
select
    requests.request_id,
    status.due_on
from {{ ref('stg_privacy__requests') }} as requests
left join {{ ref('privacy_request_status') }} as status on requests.request_id = status.request_id
where
    status.due_on is null
    or status.reason is null
    or status.extendable_until < status.due_on
