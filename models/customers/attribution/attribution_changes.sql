-- customer_daily_activity keeps the owners of its last build in a table of its own.
with owners as (
    select * from {{ ref('attribution_keys') }}
),

previous_owners as (
    select * from {{ noted_owners() or '(select * from owners where 1 = 0) as nothing' }}
)

select
    coalesce(owners.owner_key, previous_owners.owner_key) as owner_key,
    previous_owners.customer_id as old_customer_id,
    owners.customer_id as new_customer_id
from owners
full outer join previous_owners on owners.owner_key = previous_owners.owner_key
where owners.customer_id is distinct from previous_owners.customer_id
