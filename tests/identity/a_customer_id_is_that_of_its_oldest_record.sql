-- A customer_id is minted from the oldest record among those that have it.
with ranked_records as (
    select
        record_key,
        customer_id,
        erased_until,
        row_number() over (partition by customer_id order by first_seen_at nulls last, record_key) as oldest_first
    from {{ ref('record_customers') }}
)

select
    record_key,
    customer_id
from ranked_records
where oldest_first = 1 and customer_id <> {{ mint_customer_id(key_since('record_key', 'erased_until')) }}
