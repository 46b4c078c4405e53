-- The history of customer_keys: a row each time a record's customer_id is new, changed or gone (null). Rows are only added,
-- so a full refresh does not empty it, and only forwards, so a build as of the past adds nothing.
{{ config(materialized='incremental', incremental_strategy='append', full_refresh=false) }}

with keys as (
    select
        record_key,
        customer_id
    from {{ ref('customer_keys') }}
    {%- if not var('keep_anonymous_visitors') %}
    where record_type <> 'web_visitor'
    {%- endif %}
)

{% if is_incremental() -%}
, ranked_entries as (
    select
        *,
        row_number() over (partition by record_key order by log_number desc) as newest_first
    from {{ this }}
),

newest_entries as (
    select * from ranked_entries where newest_first = 1
),

forwards as (
    select coalesce(max(changed_at), {{ as_of() }}) <= {{ as_of() }} as is_forwards from {{ this }}
)

select
    coalesce(keys.record_key, newest_entries.record_key) as record_key,
    keys.customer_id,
    coalesce(newest_entries.log_number, 0) + 1 as log_number,
    {{ as_of() }} as changed_at
from keys
full outer join newest_entries on keys.record_key = newest_entries.record_key
cross join forwards
where forwards.is_forwards and keys.customer_id is distinct from newest_entries.customer_id
{%- else -%}
select
    record_key,
    customer_id,
    cast(1 as bigint) as log_number,
    {{ as_of() }} as changed_at
from keys
{%- endif %}
