-- The newest entry of every record in the log is its customer_id, and that of a record that is gone is empty. A build
-- as of a moment before the log's last entry is left out: the log only goes forwards.
with newest as (
    select
        record_key,
        customer_id,
        row_number() over (partition by record_key order by log_number desc) as newest_first
    from {{ ref('customer_key_log') }}
),

keys as (
    select * from {{ ref('customer_keys') }}
    {%- if not var('keep_anonymous_visitors') %}
    where record_type <> 'web_visitor'
    {%- endif %}
),

last_entry as (
    select max(changed_at) as changed_at from {{ ref('customer_key_log') }}
)

select
    coalesce(keys.record_key, newest.record_key) as record_key,
    keys.customer_id,
    newest.customer_id as logged_customer_id
from keys
full outer join (select * from newest where newest_first = 1) as newest on keys.record_key = newest.record_key
cross join last_entry
where keys.customer_id is distinct from newest.customer_id and last_entry.changed_at <= {{ as_of() }}
