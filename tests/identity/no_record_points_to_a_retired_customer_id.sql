-- No record points to a retired customer_id: its last record is gone, and no record has had the id since.
with retired_ids as (
    select
        old_customer_id,
        max(changed_at) as retired_at
    from {{ ref('customer_id_changes') }}
    where is_old_id_retired
    group by old_customer_id
),

reused_ids as (
    select
        customer_id,
        max(changed_at) as taken_up_at
    from {{ ref('customer_key_log') }}
    where customer_id is not null
    group by customer_id
)

select
    keys.record_key,
    keys.customer_id
from {{ ref('customer_keys') }} as keys
inner join retired_ids on keys.customer_id = retired_ids.old_customer_id
left join reused_ids on keys.customer_id = reused_ids.customer_id
where
    keys.record_type <> 'web_visitor'
    and (reused_ids.taken_up_at is null or reused_ids.taken_up_at < retired_ids.retired_at)
