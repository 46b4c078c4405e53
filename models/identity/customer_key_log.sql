-- The memory of customer_keys: a row each time a record's customer_id is new or has changed. Only ever added to,
-- so a full refresh does not empty it.
{{ config(materialized='incremental', incremental_strategy='append', full_refresh=false) }}

with keys as (
    select
        record_key,
        customer_id
    from {{ ref('customer_keys') }}
)

{% if is_incremental() %}
, newest as (
    select
        record_key,
        {{ value_at_max('customer_id', 'log_number') }} as customer_id,
        max(log_number) as log_number
    from {{ this }}
    group by record_key
)
{% endif %}

select
    keys.record_key,
    keys.customer_id,
    {% if is_incremental() %}coalesce(newest.log_number, 0) + 1{% else %}1{% endif %} as log_number,
    {{ as_of() }} as changed_at
from keys
{% if is_incremental() %}
left join newest on keys.record_key = newest.record_key
where keys.customer_id is distinct from newest.customer_id
{% endif %}
