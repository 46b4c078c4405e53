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

-- Where a record went that had an id and has it no more.
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

erased as (
    select
        departures.*,
        coalesce(erased_identifiers.recorded_at between departures.since and departures.changed_at, false) as is_erasure,
        erased_identifiers.identifier_hash is not null as is_known_erased
    from departures
    left join {{ ref('erased_identifiers') }} as erased_identifiers
        on departures.identifier_hash = erased_identifiers.identifier_hash
),

-- Who was erased and came back is a new person: no id leads from the one to the other.
erased_ids as (
    select distinct
        customer_id,
        changed_at
    from erased
    where is_known_erased and (next_customer_id is null or is_erasure)
),

removals as (
    select
        erased.customer_id,
        erased.changed_at,
        erased.is_known_erased
    from erased
    left join erased_ids on erased.customer_id = erased_ids.customer_id and erased.changed_at = erased_ids.changed_at
    where erased.next_customer_id is null or erased_ids.customer_id is not null
),

-- A record that is gone for a while and comes back under another id has moved.
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
