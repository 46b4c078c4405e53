-- What must be done so that each ESP holds what audience_members says.
with held as (
    select * from {{ ref('esp_profile_state') }}
),

differences as (
    select * from {{ ref('profile_differences') }}
),

routes as (
    select
        destination,
        audience
    from {{ ref('audience_catalog') }}
    where is_suppression
),

to_suppress as (
    select
        routes.destination,
        routes.audience,
        payloads.email,
        payloads.widest_mailbox,
        payloads.customer_id,
        payloads.reason
    from {{ with_mailboxes(ref('audience_payloads')) }} as payloads
    inner join routes on payloads.audience = routes.audience
),

-- No address goes to an ESP only to be suppressed there.
addresses as (
    select
        to_suppress.destination,
        held.email
    from to_suppress
    inner join held on to_suppress.destination = held.destination and to_suppress.email = held.email
    union distinct
    select
        to_suppress.destination,
        profiles.email
    from to_suppress
    inner join {{ ref('stg_esp__profiles') }} as profiles on to_suppress.email = profiles.email
),

-- A no binds the mailbox, so it goes to whatever other spellings of it the ESP has.
held_spellings as (
    select
        destination,
        email
    from held
    union distinct
    select
        routes.destination,
        profiles.email
    from {{ ref('stg_esp__profiles') }} as profiles
    cross join routes
    where profiles.email is not null
),

other_spellings as (
    select
        to_suppress.destination,
        to_suppress.audience,
        spellings.email,
        min(to_suppress.customer_id) as customer_id,
        min(to_suppress.reason) as reason
    from {{ with_mailboxes('held_spellings') }} as spellings
    inner join to_suppress
        on spellings.destination = to_suppress.destination and spellings.widest_mailbox = to_suppress.widest_mailbox
    left join to_suppress as same
        on
            spellings.destination = same.destination
            and to_suppress.audience = same.audience
            and spellings.email = same.email
    left join held
        on
            spellings.destination = held.destination
            and to_suppress.audience = held.audience
            and spellings.email = held.email
    where same.email is null and coalesce(held.state, 'never') <> 'suppressed'
    group by to_suppress.destination, to_suppress.audience, spellings.email
),

hashed as (
    select
        held.destination,
        held.email,
        held.customer_id,
        held.since,
        {{ named_hash('email', 'held.email') }} as identifier_hash
    from held
    cross join {{ ref('erasure_salt') }} as salt
),

-- The address of somebody who was erased stands in no table any more but in that of what the ESP holds.
erased as (
    select
        hashed.destination,
        hashed.email,
        min(hashed.customer_id) as customer_id,
        min(hashed.identifier_hash) as identifier_hash,
        max(hashed.since) as since
    from hashed
    inner join {{ ref('erased_identifiers') }} as erased_identifiers
        on hashed.identifier_hash = erased_identifiers.identifier_hash
    left join {{ ref('customers') }} as customers on hashed.email = customers.email
    where customers.customer_id is null
    group by hashed.destination, hashed.email
),

wanted as (
    select
        differences.destination,
        differences.audience,
        differences.email,
        differences.customer_id,
        differences.operation,
        differences.reason,
        differences.payload,
        differences.held,
        differences.email as known_as,
        differences.since
    from differences
    left join addresses
        on differences.destination = addresses.destination and differences.email = addresses.email
    left join erased on differences.destination = erased.destination and differences.email = erased.email
    where erased.email is null and (addresses.email is not null or differences.operation <> 'suppress')
    union all
    select
        other_spellings.destination,
        other_spellings.audience,
        other_spellings.email,
        other_spellings.customer_id,
        'suppress' as operation,
        other_spellings.reason,
        cast(null as {{ dbt.type_string() }}) as payload,
        cast(null as {{ dbt.type_string() }}) as held,
        other_spellings.email as known_as,
        cast(null as timestamp) as since
    from other_spellings
    left join erased on other_spellings.destination = erased.destination and other_spellings.email = erased.email
    where erased.email is null
    union all
    select
        destination,
        '' as audience,
        email,
        customer_id,
        'delete' as operation,
        'Asked to be erased.' as reason,
        cast(null as {{ dbt.type_string() }}) as payload,
        cast(null as {{ dbt.type_string() }}) as held,
        -- The receipt keeps the key, so no address may be guessed from it.
        identifier_hash as known_as,
        since
    from erased
),

-- The same wish after another answer is another row: a member removed and added again goes out again.
numbered as (
    select
        *,
        {{ dbt.hash(
            joined('/', [
                'destination', 'audience', 'known_as', 'operation', "coalesce(held, '')", 'cast(since as ' ~ dbt.type_string() ~ ')'
            ])
        ) }} as outbox_id
    from wanted
),

answers as (
    select
        outbox_id,
        count(case when status = 'rejected' then 1 end) as n_rejections,
        max(answered_at) as answered_at,
        {{ value_at_max('status', 'answered_at') }} as status,
        {{ value_at_max('code', 'answered_at') }} as code,
        {{ value_at_max('message', 'answered_at') }} as message
    from {{ ref('sync_receipts') }}
    where outbox_id in (select outbox_id from numbered)
    group by outbox_id
)

select
    numbered.outbox_id,
    numbered.destination,
    numbered.audience,
    numbered.operation,
    numbered.customer_id,
    numbered.email,
    numbered.payload,
    numbered.held,
    numbered.reason,
    coalesce(answers.status, 'new') as last_status,
    cast(coalesce(answers.n_rejections, 0) as bigint) as n_rejections,
    answers.code as last_code,
    answers.message as last_message,
    -- An hour after the first refusal, then twice as long each time, a week at most.
    case
        when answers.status = 'rejected'
            then {{ dbt.dateadd('hour', 'cast(least(power(2, answers.n_rejections - 1), 168) as integer)', 'answers.answered_at') }}
    end as retry_at,
    {{ as_of() }} as decided_at
from numbered
left join answers on numbered.outbox_id = answers.outbox_id
