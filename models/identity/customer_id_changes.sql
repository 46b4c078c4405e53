-- A record that changed its customer_id tells of a merge (the old id is gone) or a split (the old id lives on).
with log as (
    select
        record_key,
        customer_id,
        changed_at,
        lag(customer_id) over (partition by record_key order by log_number) as old_customer_id
    from {{ ref('customer_key_log') }}
),

changes as (
    select
        old_customer_id,
        customer_id as new_customer_id,
        changed_at,
        count(*) as n_records
    from log
    where old_customer_id is not null
    group by old_customer_id, customer_id, changed_at
),

living as (
    select distinct customer_id from {{ ref('customer_keys') }}
)

select
    changes.old_customer_id,
    changes.new_customer_id,
    case when living.customer_id is null then 'merge' else 'split' end as change_type,
    changes.n_records,
    changes.changed_at
from changes
left join living on changes.old_customer_id = living.customer_id
