-- No record points to a retired customer_id: one that the ledger says lost its last record and that none took up since.
with retired as (
    select
        old_customer_id,
        max(changed_at) as retired_at
    from {{ ref('customer_id_changes') }}
    where is_old_id_retired
    group by old_customer_id
),

taken_up as (
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
inner join retired on keys.customer_id = retired.old_customer_id
left join taken_up on keys.customer_id = taken_up.customer_id
where
    keys.record_type <> 'web_visitor'
    and (taken_up.taken_up_at is null or taken_up.taken_up_at < retired.retired_at)
