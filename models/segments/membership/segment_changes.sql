-- Append-only ledger: each entry and exit is recorded with as_of() and never changed. It keeps what later data cannot show:
-- members kept by a band, and the state before a late order.
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

memberships as (
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

decisions as (
    select
        memberships.*,
        catalog.segment is not null as is_kept_segment,
        customers.customer_id is not null as is_customer,
        case
            when customers.customer_id is null or catalog.segment is null then false
            when memberships.may_enter then true
            -- In the band. Members outside of the band leave at once: after a change of records they may never have qualified.
            when memberships.is_candidate and memberships.was_member
                then coalesce({{ date_add('day', 'catalog.dwell_days', 'memberships.changed_at') }} > {{ as_of() }}, true)
            else false
        end as is_member
    from memberships
    left join catalog on memberships.segment = catalog.segment
    left join customers on memberships.customer_id = customers.customer_id
),

last_record as (
    select max(changed_at) as last_recorded_at from last_changes
)

select
    customer_id,
    segment,
    cast(change_number + 1 as bigint) as change_number,
    is_member,
    case
        when is_member then reason_to_enter
        when not is_customer then 'No longer a customer: merged into another one, or erased.'
        when not is_kept_segment then 'The segment was taken off the list.'
        else 'No longer true: ' || recorded_reason
    end as reason,
    {{ as_of() }} as changed_at
from decisions
cross join last_record
where
    is_member is distinct from was_member
    -- A build as of a past moment reads the ledger and adds nothing.
    and {{ as_of() }} >= coalesce(last_recorded_at, {{ as_of() }})
