-- ESPs identify profiles by address, once per batch. Receipts of a deleted address no longer contain it. A sent row may have
-- arrived whatever the answer was. The ESP may hold it until a later removal is accepted.
-- Longer than 120 lines because the state of an address needs its accepted and its open receipts side by side.
with receipts as (
    select *
    from {{ ref('sync_receipts') }}
    where operation <> 'delete' and email is not null
),

accepted_receipts as (
    select
        destination,
        audience,
        email,
        max(sequence) as sequence,
        max(answered_at) as answered_at,
        max(decided_at) as decided_at,
        max(case when operation = 'add' then sequence end) as added_as,
        max(case when operation = 'remove' then sequence end) as removed_as,
        {{ value_at_max('operation', 'sequence', is_unique=true) }} as operation,
        {{ value_at_max("coalesce(code, '')", 'sequence', is_unique=true) }} as code,
        {{ value_at_max('customer_id', 'sequence', is_unique=true) }} as customer_id,
        {{ value_at_max('held', 'sequence', is_unique=true) }} as held
    from receipts
    where status = 'accepted'
    group by destination, audience, email
),

settled_jobs as (
    select distinct reference
    from receipts
    where status in ('accepted', 'rejected') and reference is not null
),

-- An open job or a request without an answer may take effect after later requests.
open_receipts as (
    select
        receipts.destination,
        receipts.audience,
        receipts.email,
        max(receipts.sequence) as sequence,
        max(receipts.answered_at) as answered_at,
        min(receipts.customer_id) as customer_id,
        max(receipts.operation) as operation,
        {{ value_at_max('receipts.held', 'receipts.sequence', is_unique=true) }} as held,
        -- A job that was marked as lost may still finish.
        max(case when receipts.status <> 'rejected' or receipts.code = 'job_lost' then {{ date_add('hour', 24, 'receipts.answered_at') }} end) as open_until
    from receipts
    left join settled_jobs on receipts.status = 'pending' and receipts.reference = settled_jobs.reference
    where
        receipts.operation in ('add', 'update', 'send')
        and receipts.status <> 'accepted'
        and settled_jobs.reference is null
        -- The only rejection before anything is sent.
        and coalesce(receipts.code, '') <> 'too_large'
        -- A rejected event leaves nothing, unless it is unclear whether it arrived.
        and not (
            receipts.operation = 'send'
            and receipts.status = 'rejected'
            and coalesce(receipts.code, '') not in {{ unclear_codes() }}
        )
    group by receipts.destination, receipts.audience, receipts.email
),

states as (
    select
        coalesce(accepted_receipts.destination, open_receipts.destination) as destination,
        coalesce(accepted_receipts.audience, open_receipts.audience) as audience,
        coalesce(accepted_receipts.email, open_receipts.email) as email,
        coalesce(accepted_receipts.customer_id, open_receipts.customer_id) as customer_id,
        case
            -- A message puts the address on no list, but the ESP knows it.
            when coalesce(accepted_receipts.operation, open_receipts.operation) = 'send' then 'messaged'
            -- At some destinations, an update of a removed profile adds it again.
            when
                accepted_receipts.operation = 'update'
                and accepted_receipts.removed_as > coalesce(accepted_receipts.added_as, accepted_receipts.removed_as - 1)
                then 'unconfirmed'
            when accepted_receipts.operation in ('add', 'update') then 'member'
            when accepted_receipts.operation = 'suppress' then 'suppressed'
            when
                accepted_receipts.operation is null
                or open_receipts.sequence > accepted_receipts.sequence
                or open_receipts.open_until > accepted_receipts.answered_at
                then 'unconfirmed'
            else 'removed'
        end as state,
        accepted_receipts.held,
        case when open_receipts.sequence > accepted_receipts.sequence then open_receipts.held end as may_hold,
        accepted_receipts.code,
        accepted_receipts.sequence,
        accepted_receipts.decided_at,
        accepted_receipts.answered_at as accepted_at,
        greatest(
            coalesce(accepted_receipts.answered_at, open_receipts.answered_at),
            coalesce(open_receipts.answered_at, accepted_receipts.answered_at)
        ) as last_answered_at
    from accepted_receipts
    full join open_receipts
        on
            accepted_receipts.destination = open_receipts.destination
            and accepted_receipts.audience = open_receipts.audience
            and accepted_receipts.email = open_receipts.email
),

known_addresses as (
    select distinct
        destination,
        email
    from states
    where state in ('member', 'unconfirmed', 'messaged')
),

additions as (
    select
        destination,
        email,
        max(sequence) as sequence
    from receipts
    where operation in ('add', 'update', 'send') and status = 'accepted'
    group by destination, email
)

select
    states.destination,
    states.audience,
    states.email,
    states.customer_id,
    -- An address that was unknown at the time of its suppression may be known by now.
    case
        when
            states.state = 'suppressed' and states.code = 'not_there'
            and (
                known_addresses.email is not null
                or additions.sequence > states.sequence
                or {{ day_of('states.accepted_at') }} < {{ days_before(as_of_day(), var('suppress_again_days')) }}
            )
            then 'not_there'
        else states.state
    end as state,
    states.held,
    states.may_hold,
    case when states.state = 'unconfirmed' then states.last_answered_at else coalesce(states.accepted_at, states.last_answered_at) end as since,
    states.accepted_at,
    states.decided_at
from states
left join known_addresses on states.destination = known_addresses.destination and states.email = known_addresses.email
left join additions on states.destination = additions.destination and states.email = additions.email
