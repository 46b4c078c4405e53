-- Compared with the owners under whom customer_daily_activity was last written: it notes them beside itself.
with owners as (
    select * from {{ ref('attribution_keys') }}
),

noted as (
    select * from {{ noted_owners() or '(select * from owners where 1 = 0) as nothing' }}
)

select
    coalesce(owners.owner_key, noted.owner_key) as owner_key,
    noted.customer_id as old_customer_id,
    owners.customer_id as new_customer_id
from owners
full outer join noted on owners.owner_key = noted.owner_key
where owners.customer_id is distinct from noted.customer_id
