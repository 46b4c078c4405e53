-- No customer is in segment unhappy without a badly rated ticket.
with members as (
    {{ members_today(['unhappy']) }}
),

bad_ratings as (
    select distinct customer_id
    from {{ ref('customer_tickets') }}
    where satisfaction <= {{ var('unhappy_max_satisfaction') }}
)

select members.customer_id
from members
left join bad_ratings on members.customer_id = bad_ratings.customer_id
where bad_ratings.customer_id is null
