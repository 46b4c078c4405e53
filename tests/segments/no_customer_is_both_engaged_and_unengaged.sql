-- No customer is both engaged and unengaged.
with members as (
    {{ members_today(['highly_engaged', 'engaged', 'unengaged']) }}
)

select customer_id
from members
group by customer_id
having count(case when segment = 'unengaged' then 1 end) > 0 and count(*) > 1
