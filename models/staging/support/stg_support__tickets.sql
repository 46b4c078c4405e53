select
    ticket_id,
    {{ dbt.hash(
        "coalesce(customer_id, '') || '/' || coalesce(requester_email, '') || '/' || coalesce(requester_phone, '')"
    ) }} as requester_id,
    customer_id as shop_customer_id,
    requester_email as email,
    requester_phone as phone,
    {{ clean_name("requester_name") }} as requester_name,
    subject,
    status as ticket_status,
    topic,
    satisfaction,
    created_at,
    coalesce(updated_at, created_at) as updated_at,
    solved_at
from {{ ref('base_support__tickets') }}
where reject_reason is null
