-- The ledger. Only ever added to: who enters or leaves a segment is written down with as_of(), never changed. It keeps
-- what the facts of that day cannot say afterwards: who was held by a band, and what a late order changed.
{{ config(materialized='incremental', incremental_strategy='append', full_refresh=false, on_schema_change='append_new_columns') }}

with catalog as (
    select * from {{ ref('segment_catalog') }}
),

customers as (
    select * from {{ ref('customers') }}
),

last_changes as (
    select
        customer_id,
        segment,
        max(change_number) as change_number,
        max(changed_at) as changed_at,
        {{ value_at_max('is_member', 'change_number', is_unique=true) }} as is_member,
        {{ value_at_max('reason', 'change_number', is_unique=true) }} as reason
    {% if is_incremental() -%}
    from {{ this }}
    {%- else -%}
    from (
        select
            customer_id,
            segment,
            cast(0 as bigint) as change_number,
            false as is_member,
            reason,
            {{ as_of() }} as changed_at
        from {{ ref('segment_candidates') }}
        where false
    ) as nothing_recorded
    {%- endif %}
    group by customer_id, segment
),

compared as (
    select
        coalesce(candidates.customer_id, last_changes.customer_id) as customer_id,
        coalesce(candidates.segment, last_changes.segment) as segment,
        candidates.customer_id is not null as is_candidate,
        coalesce(candidates.may_enter, false) as may_enter,
        candidates.reason as reason_to_enter,
        coalesce(last_changes.is_member, false) as was_member,
        last_changes.changed_at,
        last_changes.reason as recorded_reason,
        coalesce(last_changes.change_number, 0) as change_number
    from {{ ref('segment_candidates') }} as candidates
    full join last_changes
        on candidates.customer_id = last_changes.customer_id and candidates.segment = last_changes.segment
),

decided as (
    select
        compared.*,
        catalog.segment is not null as is_kept_segment,
        customers.customer_id is not null as is_customer,
        case
            when customers.customer_id is null or catalog.segment is null then false
            when compared.may_enter then true
            -- In the band. Who is not even there leaves at once: it may never have been so, once records move.
            when compared.is_candidate and compared.was_member
                then coalesce({{ dbt.dateadd('day', 'catalog.dwell_days', 'compared.changed_at') }} > {{ as_of() }}, true)
            else false
        end as is_member
    from compared
    left join catalog on compared.segment = catalog.segment
    left join customers on compared.customer_id = customers.customer_id
),

recorded as (
    select max(changed_at) as last_recorded_at from last_changes
)

select
    customer_id,
    segment,
    cast(change_number + 1 as bigint) as change_number,
    is_member,
    case
        when is_member then reason_to_enter
        when not is_customer then 'Is no customer any more: merged into another one, or erased.'
        when not is_kept_segment then 'The segment is no longer kept.'
        else 'No longer so: ' || recorded_reason
    end as reason,
    {{ as_of() }} as changed_at
from decided
cross join recorded
where
    is_member is distinct from was_member
    -- A past moment is read from the ledger, never added to it.
    and {{ as_of() }} >= coalesce(last_recorded_at, {{ as_of() }})
