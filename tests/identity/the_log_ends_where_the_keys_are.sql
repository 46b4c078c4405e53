-- The newest log entry of every record is its customer_id, or empty if the record is gone. Skipped for a build as of a time
-- before the log's last entry, because the log only goes forwards.
with ranked_entries as (
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
    coalesce(keys.record_key, ranked_entries.record_key) as record_key,
    keys.customer_id,
    ranked_entries.customer_id as logged_customer_id
from keys
full outer join (select * from ranked_entries where newest_first = 1) as ranked_entries on keys.record_key = ranked_entries.record_key
cross join last_entry
where keys.customer_id is distinct from ranked_entries.customer_id and last_entry.changed_at <= {{ as_of() }}
