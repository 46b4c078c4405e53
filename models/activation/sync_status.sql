-- How far each destination is behind, and why. Read by alerts.
-- Longer than 120 lines because one row sums up seven tables, each in a CTE of its own.
with routes as (
    select
        destination,
        audience
    from {{ ref('audience_catalog') }}
    union distinct
    select
        destination,
        audience
    from {{ ref('sync_receipts') }}
    union distinct
    select
        destination,
        audience
    from {{ ref('sync_outbox') }}
),

members as (
    select
        audience,
        count(*) as n_members
    from {{ ref('audience_members') }}
    group by audience
),

held_profiles as (
    select
        destination,
        audience,
        count(*) as n_held
    from {{ ref('esp_profile_state') }}
    where state in ('member', 'suppressed')
    group by destination, audience
),

open_rows as (
    select
        destination,
        audience,
        count(*) as n_to_send,
        count(case when operation in ('add', 'update', 'suppress') then 1 end) as n_not_held,
        count(case when last_status = 'pending' then 1 end) as n_pending,
        count(case when last_status = 'rejected' then 1 end) as n_rejected
    from {{ ref('sync_outbox') }}
    group by destination, audience
),

rejections as (
    select
        destination,
        audience,
        coalesce(last_code, 'no code') || ' (' || cast(count(*) as {{ dbt.type_string() }}) || ')' as rejection,
        row_number() over (
            partition by destination, audience order by count(*) desc, coalesce(last_code, 'no code')
        ) as place
    from {{ ref('sync_outbox') }}
    where last_status = 'rejected'
    group by destination, audience, coalesce(last_code, 'no code')
),

top_rejections as (
    select
        destination,
        audience,
        {{ joined('; ', [
            'max(case when place = 1 then rejection end)', 'max(case when place = 2 then rejection end)',
            'max(case when place = 3 then rejection end)'
        ]) }} as top_rejections
    from rejections
    group by destination, audience
),

answers as (
    select
        destination,
        audience,
        max(case when status = 'accepted' then answered_at end) as last_accepted_at
    from {{ ref('sync_receipts') }}
    group by destination, audience
),

pushes as (
    select
        destination,
        audience,
        max(ended_at) as last_pushed_at,
        {{ value_at_max('outcome', 'ended_at') }} as last_outcome,
        {{ value_at_max("coalesce(reason, '')", 'ended_at') }} as last_reason,
        max(case when outcome = 'finished' then ended_at end) as last_success_at,
        max(case when outcome = 'finished' then decided_at end) as last_success_of
    from {{ ref('sync_pushes') }}
    group by destination, audience
),

guards as (
    select
        destination,
        audience,
        count(*) as n_guards,
        min(reason) as guard_reason
    from {{ ref('sync_guards') }}
    group by destination, audience
)

select
    routes.destination,
    routes.audience,
    coalesce(members.n_members, 0) as n_members,
    coalesce(held_profiles.n_held, 0) as n_held,
    coalesce(open_rows.n_to_send, 0) as n_to_send,
    coalesce(open_rows.n_pending, 0) as n_pending,
    coalesce(open_rows.n_rejected, 0) as n_rejected,
    case
        when members.n_members > 0
            then cast(members.n_members - least(coalesce(open_rows.n_not_held, 0), members.n_members) as {{ double_type() }}) / members.n_members
    end as match_share,
    top_rejections.top_rejections,
    answers.last_accepted_at,
    pushes.last_pushed_at,
    pushes.last_outcome,
    nullif(pushes.last_reason, '') as last_reason,
    pushes.last_success_at,
    case
        when coalesce(open_rows.n_to_send, 0) = 0 then cast(0 as {{ double_type() }})
        else {{ seconds_between('pushes.last_success_of', as_of()) }} / 3600.0
    end as lag_hours,
    coalesce(guards.n_guards, 0) as n_guards,
    guards.guard_reason
from routes
left join members on routes.audience = members.audience
left join held_profiles on routes.destination = held_profiles.destination and routes.audience = held_profiles.audience
left join open_rows on routes.destination = open_rows.destination and routes.audience = open_rows.audience
left join top_rejections on routes.destination = top_rejections.destination and routes.audience = top_rejections.audience
left join answers on routes.destination = answers.destination and routes.audience = answers.audience
left join pushes on routes.destination = pushes.destination and routes.audience = pushes.audience
left join guards on routes.destination = guards.destination and routes.audience = guards.audience
