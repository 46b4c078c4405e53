-- By the changes of the list, today's members are the customers whom an opt-in allows marketing e-mail. A law that allows it without an
-- opt-in puts no customer on the list.
with members as (
    select
        customer_id,
        sum(case when change = 'joined' then 1 else -1 end) as times
    from {{ ref('list_changes') }}
    group by customer_id
),

allowed as (
    select customer_id
    from {{ ref('consents') }}
    where channel = 'email' and purpose = 'marketing_email' and is_allowed and deciding_event_id is not null
)

select
    coalesce(members.customer_id, allowed.customer_id) as customer_id,
    members.times
from members
full join allowed on members.customer_id = allowed.customer_id
where coalesce(members.times, 0) <> case when allowed.customer_id is not null then 1 else 0 end
