-- An address is what an ESP knows people by, once in a batch; the receipts of one that was deleted there name it no more.
-- What was sent may have arrived, whatever was answered: until a removal has been accepted after it, the ESP may hold it.
with receipts as (
    select *
    from {{ ref('sync_receipts') }}
    where operation <> 'delete' and email is not null
),

accepted as (
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

-- What stays open may arrive later than what was asked after it: a job that is not done, a request without an answer.
unconfirmed as (
    select
        receipts.destination,
        receipts.audience,
        receipts.email,
        max(receipts.sequence) as sequence,
        max(receipts.answered_at) as answered_at,
        min(receipts.customer_id) as customer_id,
        {{ value_at_max('receipts.held', 'receipts.sequence', is_unique=true) }} as held,
        -- A job that was taken for lost may be done all the same.
        max(case when receipts.status <> 'rejected' or receipts.code = 'job_lost' then {{ dbt.dateadd('hour', 24, 'receipts.answered_at') }} end) as open_until
    from receipts
    left join settled_jobs on receipts.status = 'pending' and receipts.reference = settled_jobs.reference
    where
        receipts.operation in ('add', 'update')
        and receipts.status <> 'accepted'
        and settled_jobs.reference is null
        -- The one refusal that is known before anything is sent.
        and coalesce(receipts.code, '') <> 'too_large'
    group by receipts.destination, receipts.audience, receipts.email
),

states as (
    select
        coalesce(accepted.destination, unconfirmed.destination) as destination,
        coalesce(accepted.audience, unconfirmed.audience) as audience,
        coalesce(accepted.email, unconfirmed.email) as email,
        coalesce(accepted.customer_id, unconfirmed.customer_id) as customer_id,
        case
            -- A change of somebody who had been removed brings them back at some destinations only.
            when accepted.operation = 'update' and accepted.removed_as > coalesce(accepted.added_as, accepted.removed_as - 1)
                then 'unconfirmed'
            when accepted.operation in ('add', 'update') then 'member'
            when accepted.operation = 'suppress' then 'suppressed'
            when
                accepted.operation is null
                or unconfirmed.sequence > accepted.sequence
                or unconfirmed.open_until > accepted.answered_at
                then 'unconfirmed'
            else 'removed'
        end as state,
        accepted.held,
        case when unconfirmed.sequence > accepted.sequence then unconfirmed.held end as may_hold,
        accepted.code,
        accepted.sequence,
        accepted.decided_at,
        accepted.answered_at as accepted_at,
        greatest(coalesce(accepted.answered_at, unconfirmed.answered_at), coalesce(unconfirmed.answered_at, accepted.answered_at))
            as last_answered_at
    from accepted
    full join unconfirmed
        on
            accepted.destination = unconfirmed.destination
            and accepted.audience = unconfirmed.audience
            and accepted.email = unconfirmed.email
),

known_addresses as (
    select distinct
        destination,
        email
    from states
    where state in ('member', 'unconfirmed')
),

additions as (
    select
        destination,
        email,
        max(sequence) as sequence
    from receipts
    where operation in ('add', 'update') and status = 'accepted'
    group by destination, email
)

select
    states.destination,
    states.audience,
    states.email,
    states.customer_id,
    -- Whom it did not know when they were suppressed, it may know by now.
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
    case when states.state = 'unconfirmed' then states.last_answered_at else states.accepted_at end as since,
    states.accepted_at,
    states.decided_at
from states
left join known_addresses on states.destination = known_addresses.destination and states.email = known_addresses.email
left join additions on states.destination = additions.destination and states.email = additions.email
