-- What must be done so that each ESP holds what audience_members says.
with held as (
    select * from {{ ref('esp_profile_state') }}
),

refused as (
    select * from {{ ref('refused_addresses') }}
),

to_suppress as (
    select
        refused.destination,
        refused.audience,
        refused.email,
        coalesce(refused.customer_id, held.customer_id) as customer_id,
        refused.reason,
        refused.learned_at,
        held.accepted_at as since
    from refused
    inner join {{ ref('audience_catalog') }} as routes
        on refused.destination = routes.destination and refused.audience = routes.audience
    left join held
        on
            refused.destination = held.destination
            and refused.audience = held.audience
            and refused.email = held.email
    -- A no that was learned of since is another one: in between the ESP may have been asked to write again.
    where coalesce(held.state, 'never') <> 'suppressed' or refused.learned_at > held.decided_at
),

-- An address may be in several suppression audiences: one reason is enough.
refused_once as (
    select
        destination,
        email,
        min(reason) as reason
    from refused
    group by destination, email
),

addresses as (
    select * from {{ with_mailboxes("(select distinct email from held)") }} as addresses
),

hashed as (
    {% for identifier_hash in [named_hash('email', 'addresses.email'), mailbox_hash('addresses.mailbox')] -%}
    select
        addresses.email,
        {{ named_hash('email', 'addresses.email') }} as email_hash,
        {{ identifier_hash }} as identifier_hash
    from addresses
    cross join {{ ref('erasure_salt') }} as salt
    {{ 'union all' if not loop.last }}
    {% endfor %}
),

-- The address of somebody who was erased stands in no table any more but in that of what the ESP holds. Who is back in
-- another spelling has a profile of their own there.
erased_addresses as (
    select
        hashed.email,
        min(hashed.email_hash) as identifier_hash
    from hashed
    inner join {{ ref('erased_identifiers') }} as erased_identifiers
        on hashed.identifier_hash = erased_identifiers.identifier_hash
    left join {{ ref('customers') }} as customers on hashed.email = customers.email
    where customers.customer_id is null
    group by hashed.email
),

erased as (
    select
        held.destination,
        held.email,
        min(held.customer_id) as customer_id,
        min(erased_addresses.identifier_hash) as identifier_hash,
        -- What may arrive later than its deletion is deleted again the next day.
        max(case when held.state = 'unconfirmed' then cast(cast({{ as_of() }} as date) as timestamp) else held.since end) as since
    from held
    inner join erased_addresses on held.email = erased_addresses.email
    group by held.destination, held.email
),

wanted as (
    select
        differences.destination,
        differences.audience,
        differences.email,
        differences.customer_id,
        differences.operation,
        case when differences.operation = 'remove' then coalesce(refused.reason, differences.reason) else differences.reason end
            as reason,
        differences.payload,
        differences.held,
        differences.email as known_as,
        differences.operation = 'remove' and refused.email is not null as is_no,
        differences.since
    from {{ ref('profile_differences') }} as differences
    left join refused_once as refused
        on differences.destination = refused.destination and differences.email = refused.email
    left join erased on differences.destination = erased.destination and differences.email = erased.email
    where erased.email is null
    union all
    select
        to_suppress.destination,
        to_suppress.audience,
        to_suppress.email,
        to_suppress.customer_id,
        'suppress' as operation,
        to_suppress.reason,
        cast(null as {{ dbt.type_string() }}) as payload,
        cast(null as {{ dbt.type_string() }}) as held,
        -- A later no is another row, also while the answer about the first is open.
        {{ joined('/', ['to_suppress.email', "coalesce(cast(to_suppress.learned_at as " ~ dbt.type_string() ~ "), '')"]) }}
            as known_as,
        true as is_no,
        to_suppress.since
    from to_suppress
    left join erased on to_suppress.destination = erased.destination and to_suppress.email = erased.email
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
        true as is_no,
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
        {{ value_at_max('status', 'sequence', is_unique=true) }} as status,
        {{ value_at_max('code', 'sequence', is_unique=true) }} as code,
        {{ value_at_max('message', 'sequence', is_unique=true) }} as message
    from {{ ref('sync_receipts') }}
    where outbox_id in (select outbox_id from numbered)
    group by outbox_id
)

select
    numbered.outbox_id,
    numbered.destination,
    numbered.audience,
    numbered.operation,
    numbered.is_no,
    numbered.customer_id,
    numbered.email,
    numbered.payload,
    numbered.held,
    numbered.reason,
    coalesce(answers.status, 'new') as last_status,
    cast(coalesce(answers.n_rejections, 0) as bigint) as n_rejections,
    answers.code as last_code,
    answers.message as last_message,
    -- An hour after the first refusal, then twice as long each time, a week at most. A no does not wait.
    case
        when answers.status = 'rejected' and not numbered.is_no
            then {{ dbt.dateadd('hour', 'cast(least(power(2, answers.n_rejections - 1), 168) as integer)', 'answers.answered_at') }}
    end as retry_at,
    {{ as_of() }} as decided_at
from numbered
left join answers on numbered.outbox_id = answers.outbox_id
