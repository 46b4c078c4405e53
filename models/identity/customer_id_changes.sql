-- Where customer ids went: a merge (all records of the old id went to one other), a split (some stayed, or they went
-- several ways), a removal (the last record is gone from its source) or an erasure (the person was erased).
with log as (
    select
        record_key,
        customer_id,
        log_number,
        changed_at,
        lead(changed_at) over (partition by record_key order by log_number) as replaced_at,
        lead(customer_id) over (partition by record_key order by log_number) as next_customer_id
    from {{ ref('customer_key_log') }}
),

removals as (
    select
        log.record_key,
        log.customer_id,
        log.replaced_at as changed_at,
        {{ identifier_hash("'record'", 'log.record_key') }} as identifier_hash
    from log
    cross join {{ ref('erasure_salt') }} as salt
    where log.customer_id is not null and log.replaced_at is not null and log.next_customer_id is null
),

-- A record that is gone for a while and comes back under another id has moved.
moves as (
    select
        customer_id as new_customer_id,
        changed_at,
        lag(customer_id) over (partition by record_key order by log_number) as old_customer_id
    from log
    where customer_id is not null
),

changes as (
    select
        old_customer_id,
        new_customer_id,
        changed_at,
        count(*) as n_records,
        0 as n_erased
    from moves
    where old_customer_id <> new_customer_id
    group by old_customer_id, new_customer_id, changed_at
    union all
    select
        removals.customer_id as old_customer_id,
        cast(null as {{ dbt.type_string() }}) as new_customer_id,
        removals.changed_at,
        count(*) as n_records,
        count(erased_identifiers.identifier_hash) as n_erased
    from removals
    left join {{ ref('erased_identifiers') }} as erased_identifiers
        on removals.identifier_hash = erased_identifiers.identifier_hash
    group by removals.customer_id, removals.changed_at
),

counted as (
    select
        old_customer_id,
        new_customer_id,
        changed_at,
        n_records,
        n_erased,
        count(new_customer_id) over (partition by old_customer_id, changed_at) as n_new_ids
    from changes
),

-- Records that had the old id when the change was done.
left_over as (
    select
        counted.old_customer_id,
        counted.changed_at,
        count(distinct log.record_key) as n_records
    from counted
    inner join log
        on
            counted.old_customer_id = log.customer_id
            and counted.changed_at >= log.changed_at
            and (log.replaced_at is null or log.replaced_at > counted.changed_at)
    group by counted.old_customer_id, counted.changed_at
)

select
    {{ dbt.hash(
        "counted.old_customer_id || '/' || coalesce(counted.new_customer_id, '')"
        ~ " || '/' || cast(counted.changed_at as " ~ dbt.type_string() ~ ")"
    ) }} as change_id,
    counted.old_customer_id,
    counted.new_customer_id,
    case
        when counted.new_customer_id is null and counted.n_erased > 0 then 'erasure'
        when counted.new_customer_id is null then 'removal'
        when left_over.n_records is null and counted.n_new_ids = 1 then 'merge'
        else 'split'
    end as change_type,
    left_over.n_records is null as is_old_id_retired,
    cast(counted.n_records as bigint) as n_records,
    counted.changed_at
from counted
left join left_over
    on counted.old_customer_id = left_over.old_customer_id and counted.changed_at = left_over.changed_at
where counted.new_customer_id is not null or (left_over.n_records is null and counted.n_new_ids = 0)
