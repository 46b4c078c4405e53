-- Nobody is called unhappy without a ticket that was rated badly.
with members as (
    {{ members_today(['unhappy']) }}
),

rated as (
    select distinct customer_id
    from {{ ref('customer_tickets') }}
    where satisfaction <= {{ var('unhappy_max_satisfaction') }}
)

select members.customer_id
from members
left join rated on members.customer_id = rated.customer_id
where rated.customer_id is null
