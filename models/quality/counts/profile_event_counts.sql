-- All message events that staging keeps, whatever their age.
with days as (
    select
        profile_id,
        n_events
    from {{ ref('stg_esp__profile_days') }}
    union all
    select
        profile_id,
        n_events
    from {{ ref('stg_esp__refusal_days') }}
)

select
    profile_id,
    cast(sum(n_events) as bigint) as n_events
from days
group by profile_id
