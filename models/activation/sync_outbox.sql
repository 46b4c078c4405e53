-- Changes that bring each ESP in line with audience_members, and the messages that go out.
-- Longer than 120 lines because updates, suppressions and deletions exclude one another, so they are decided together.
with profile_states as (
    select * from {{ ref('esp_profile_state') }}
),

refusals as (
    select * from {{ ref('refused_addresses') }}
),

to_suppress as (
    select
        refusals.destination,
        refusals.audience,
        refusals.email,
        coalesce(refusals.customer_id, profile_states.customer_id) as customer_id,
        refusals.reason,
        refusals.learned_at,
        profile_states.accepted_at as since
    from refusals
    inner join {{ ref('audience_catalog') }} as routes
        on refusals.destination = routes.destination and refusals.audience = routes.audience
    left join profile_states
        on
            refusals.destination = profile_states.destination
            and refusals.audience = profile_states.audience
            and refusals.email = profile_states.email
    -- A later opt-out is sent again: in between, the ESP may have got a new opt-in.
    where coalesce(profile_states.state, 'never') <> 'suppressed' or refusals.learned_at > profile_states.decided_at
),

-- An address may be in several suppression audiences. One reason is enough.
first_refusals as (
    select
        destination,
        email,
        min(reason) as reason
    from refusals
    group by destination, email
),

addresses as (
    select * from {{ with_mailboxes("(select distinct email from profile_states)") }} as addresses
),

address_hashes as (
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

-- The address of an erased customer exists only in esp_profile_state. A customer who came back with another spelling has a
-- separate profile at the ESP.
erased_addresses as (
    select
        address_hashes.email,
        min(address_hashes.email_hash) as identifier_hash
    from address_hashes
    inner join {{ ref('erased_identifiers') }} as erased_identifiers
        on address_hashes.identifier_hash = erased_identifiers.identifier_hash
    left join {{ ref('customers') }} as customers on address_hashes.email = customers.email
    where customers.customer_id is null
    group by address_hashes.email
),

erased_profiles as (
    select
        profile_states.destination,
        profile_states.email,
        min(profile_states.customer_id) as customer_id,
        min(erased_addresses.identifier_hash) as identifier_hash,
        -- An open row may arrive after its deletion, so the deletion is repeated the next day.
        max(case when profile_states.state = 'unconfirmed' then cast(cast({{ as_of() }} as date) as timestamp) else profile_states.since end) as since
    from profile_states
    inner join erased_addresses on profile_states.email = erased_addresses.email
    group by profile_states.destination, profile_states.email
),

sync_rows as (
    select
        differences.destination,
        differences.audience,
        differences.email,
        differences.customer_id,
        differences.operation,
        case when differences.operation = 'remove' then coalesce(refusals.reason, differences.reason) else differences.reason end
            as reason,
        differences.payload,
        differences.held,
        differences.email as known_as,
        differences.operation = 'remove' and refusals.email is not null as is_no,
        differences.since
    from {{ ref('profile_differences') }} as differences
    left join first_refusals as refusals
        on differences.destination = refusals.destination and differences.email = refusals.email
    left join erased_profiles
        on differences.destination = erased_profiles.destination and differences.email = erased_profiles.email
    where erased_profiles.email is null
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
        -- A later opt-out is another row, even while the answer to the first one is open.
        {{ joined('/', ['to_suppress.email', "coalesce(cast(to_suppress.learned_at as " ~ dbt.type_string() ~ "), '')"]) }}
            as known_as,
        true as is_no,
        to_suppress.since
    from to_suppress
    left join erased_profiles
        on to_suppress.destination = erased_profiles.destination and to_suppress.email = erased_profiles.email
    where erased_profiles.email is null
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
        -- Receipts keep the key, so it must not reveal the address.
        identifier_hash as known_as,
        true as is_no,
        since
    from erased_profiles
),

-- The same change after a new answer is a new row: a member removed and added again goes out again.
keyed_rows as (
    select
        destination,
        audience,
        email,
        customer_id,
        operation,
        reason,
        payload,
        held,
        is_no,
        cast(null as timestamp) as expires_at,
        {{ dbt.hash(
            joined('/', [
                'destination', 'audience', 'known_as', 'operation', "coalesce(held, '')", 'cast(since as ' ~ dbt.type_string() ~ ')'
            ])
        ) }} as outbox_id
    from sync_rows
    union all
    select
        destination,
        audience,
        email,
        customer_id,
        'send' as operation,
        reason,
        payload,
        cast(null as {{ dbt.type_string() }}) as held,
        false as is_no,
        expires_at,
        outbox_id
    from {{ ref('message_payloads') }}
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
    where outbox_id in (select outbox_id from keyed_rows)
    group by outbox_id
)

select
    keyed_rows.outbox_id,
    keyed_rows.destination,
    keyed_rows.audience,
    keyed_rows.operation,
    keyed_rows.is_no,
    keyed_rows.customer_id,
    keyed_rows.email,
    keyed_rows.payload,
    keyed_rows.held,
    keyed_rows.reason,
    keyed_rows.expires_at,
    coalesce(answers.status, 'new') as last_status,
    cast(coalesce(answers.n_rejections, 0) as bigint) as n_rejections,
    answers.code as last_code,
    answers.message as last_message,
    -- One hour after the first rejection, then doubled each time, at most a week. Opt-outs do not wait.
    case
        when answers.status = 'rejected' and not keyed_rows.is_no
            then {{ date_add('hour', 'cast(least(power(2, answers.n_rejections - 1), 168) as integer)', 'answers.answered_at') }}
    end as retry_at,
    {{ as_of() }} as decided_at
from keyed_rows
left join answers on keyed_rows.outbox_id = answers.outbox_id
