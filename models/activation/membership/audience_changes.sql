-- Append-only ledger: each entry and exit is recorded with as_of() and never changed.
{{ config(materialized='incremental', incremental_strategy='append', full_refresh=false, on_schema_change='append_new_columns') }}

with members as (
    select
        audience,
        customer_id
    from {{ ref('audience_decisions') }}
    where is_member
),

last_changes as (
    select
        audience,
        customer_id,
        max(change_number) as change_number,
        {{ value_at_max('is_member', 'change_number', is_unique=true) }} as is_member,
        max(changed_at) as changed_at
    {% if is_incremental() -%}
    from {{ this }}
    {%- else -%}
    from (
        select
            audience,
            customer_id,
            cast(0 as bigint) as change_number,
            false as is_member,
            {{ as_of() }} as changed_at
        from members
        where false
    ) as nothing_recorded
    {%- endif %}
    group by audience, customer_id
),

last_record as (
    select max(changed_at) as last_recorded_at from last_changes
),

memberships as (
    select
        coalesce(members.audience, last_changes.audience) as audience,
        coalesce(members.customer_id, last_changes.customer_id) as customer_id,
        coalesce(last_changes.change_number, 0) as change_number,
        coalesce(last_changes.is_member, false) as was_member,
        members.customer_id is not null as is_member
    from members
    full join last_changes
        on members.audience = last_changes.audience and members.customer_id = last_changes.customer_id
)

select
    memberships.audience,
    memberships.customer_id,
    cast(memberships.change_number + 1 as bigint) as change_number,
    memberships.is_member,
    {{ as_of() }} as changed_at
from memberships
cross join last_record
where
    memberships.is_member is distinct from memberships.was_member
    -- A build as of a past moment reads the ledger and adds nothing.
    and {{ as_of() }} >= coalesce(last_record.last_recorded_at, {{ as_of() }})
