-- The customer that a retired id leads to today: the one with most of its records. An erased id leads to none.
with holders as (
    select
        log.customer_id as retired_customer_id,
        customer_keys.customer_id,
        count(distinct log.record_key) as n_records
    from {{ ref('customer_key_log') }} as log
    inner join {{ ref('customer_keys') }} as customer_keys on log.record_key = customer_keys.record_key
    left join {{ ref('customer_id_changes') }} as erasures
        on log.customer_id = erasures.old_customer_id and erasures.change_type = 'erasure'
    where erasures.old_customer_id is null
    group by log.customer_id, customer_keys.customer_id
),

ranked_holders as (
    select
        *,
        max(case when customer_id = retired_customer_id then 1 else 0 end) over (partition by retired_customer_id) as is_in_use,
        row_number() over (partition by retired_customer_id order by n_records desc, customer_id asc) as place
    from holders
)

select
    retired_customer_id,
    customer_id
from ranked_holders
where place = 1 and is_in_use = 0
