-- Changes of customer ids: a merge (all records of the old id moved to one other), a split (some stayed, or they moved to
-- several ids), a removal (the last record is gone from its source) or an erasure (the person was erased).
-- Longer than 120 lines because a change is known as merge, split, removal or erasure only beside all records of both ids.
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

-- Records that lost an id, with the next one.
departures as (
    select
        log.record_key,
        log.customer_id,
        log.changed_at as since,
        log.replaced_at as changed_at,
        log.next_customer_id,
        {{ identifier_hash("'record'", 'log.record_key') }} as identifier_hash
    from log
    cross join {{ ref('erasure_salt') }} as salt
    where
        log.customer_id is not null
        and log.replaced_at is not null
        and coalesce(log.next_customer_id <> log.customer_id, true)
),

departed_records as (
    select
        departures.*,
        coalesce(erased_identifiers.recorded_at between departures.since and departures.changed_at, false) as is_erasure,
        erased_identifiers.identifier_hash is not null as is_known_erased
    from departures
    left join {{ ref('erased_identifiers') }} as erased_identifiers
        on departures.identifier_hash = erased_identifiers.identifier_hash
),

-- An erased person who comes back is a new customer: no change links the two ids.
erased_ids as (
    select distinct
        customer_id,
        changed_at
    from departed_records
    where is_known_erased and (next_customer_id is null or is_erasure)
),

removals as (
    select
        departed_records.customer_id,
        departed_records.changed_at,
        departed_records.is_known_erased
    from departed_records
    left join erased_ids
        on departed_records.customer_id = erased_ids.customer_id and departed_records.changed_at = erased_ids.changed_at
    where departed_records.next_customer_id is null or erased_ids.customer_id is not null
),

-- A record that disappears and returns under another id has moved.
moves as (
    select
        log.record_key,
        log.customer_id as new_customer_id,
        log.changed_at,
        lag(log.customer_id) over (partition by log.record_key order by log.log_number) as old_customer_id,
        lag(log.replaced_at) over (partition by log.record_key order by log.log_number) as left_at
    from log
    where log.customer_id is not null
),

changes as (
    select
        moves.old_customer_id,
        moves.new_customer_id,
        moves.changed_at,
        count(*) as n_records,
        0 as n_erased
    from moves
    left join erased_ids on moves.old_customer_id = erased_ids.customer_id and moves.left_at = erased_ids.changed_at
    where moves.old_customer_id <> moves.new_customer_id and erased_ids.customer_id is null
    group by moves.old_customer_id, moves.new_customer_id, moves.changed_at
    union all
    select
        customer_id as old_customer_id,
        cast(null as {{ dbt.type_string() }}) as new_customer_id,
        changed_at,
        count(*) as n_records,
        count(case when is_known_erased then 1 end) as n_erased
    from removals
    group by customer_id, changed_at
),

counted_changes as (
    select
        old_customer_id,
        new_customer_id,
        changed_at,
        n_records,
        n_erased,
        count(new_customer_id) over (partition by old_customer_id, changed_at) as n_new_ids
    from changes
),

-- Records that still had the old id after the change.
remaining_records as (
    select
        counted_changes.old_customer_id,
        counted_changes.changed_at,
        count(distinct log.record_key) as n_records
    from counted_changes
    inner join log
        on
            counted_changes.old_customer_id = log.customer_id
            and counted_changes.changed_at >= log.changed_at
            and (log.replaced_at is null or log.replaced_at > counted_changes.changed_at)
    group by counted_changes.old_customer_id, counted_changes.changed_at
)

select
    {{ dbt.hash(
        "counted_changes.old_customer_id || '/' || coalesce(counted_changes.new_customer_id, '')"
        ~ " || '/' || cast(counted_changes.changed_at as " ~ dbt.type_string() ~ ")"
    ) }} as change_id,
    counted_changes.old_customer_id,
    counted_changes.new_customer_id,
    case
        when counted_changes.new_customer_id is null and counted_changes.n_erased > 0 then 'erasure'
        when counted_changes.new_customer_id is null then 'removal'
        when remaining_records.n_records is null and counted_changes.n_new_ids = 1 then 'merge'
        else 'split'
    end as change_type,
    remaining_records.n_records is null as is_old_id_retired,
    cast(counted_changes.n_records as bigint) as n_records,
    counted_changes.changed_at
from counted_changes
left join remaining_records
    on
        counted_changes.old_customer_id = remaining_records.old_customer_id
        and counted_changes.changed_at = remaining_records.changed_at
where counted_changes.new_customer_id is not null or (remaining_records.n_records is null and counted_changes.n_new_ids = 0)
