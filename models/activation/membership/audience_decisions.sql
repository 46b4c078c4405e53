-- Fails closed: who is a candidate is a member if contactability says yes to the audience's kind of message, at an
-- address that no other member has, in a mailbox that no one has refused mail at.
with audiences as (
    select distinct
        audience,
        message_class,
        is_suppression
    from {{ ref('audience_catalog') }}
),

candidates as (
    select
        candidates.audience,
        candidates.customer_id,
        candidates.reason,
        audiences.message_class,
        audiences.is_suppression,
        customers.email,
        customers.widest_mailbox,
        customers.last_seen_at
    from {{ ref('audience_candidates') }} as candidates
    inner join audiences on candidates.audience = audiences.audience
    inner join {{ with_mailboxes(ref('customers')) }} as customers on candidates.customer_id = customers.customer_id
),

refused_addresses as (
    select distinct widest_mailbox from candidates where is_suppression and email is not null
),

judged as (
    select
        candidates.*,
        allowed.is_ai_personalisation_allowed,
        case
            when candidates.email is null then 'no_address'
            when candidates.is_suppression then null
            when not coalesce(allowed.is_allowed, false) then coalesce({{ dbt.split_part('allowed.blocked_by', "', '", 1) }}, 'no_consent')
            when refused_addresses.widest_mailbox is not null then 'address_refused'
        end as rule,
        allowed.reason as contact_reason
    from candidates
    left join {{ ref('contactability') }} as allowed
        on
            candidates.customer_id = allowed.customer_id
            and candidates.message_class = allowed.message_class
            and allowed.channel = 'email'
    left join refused_addresses on candidates.widest_mailbox = refused_addresses.widest_mailbox
),

-- The ESP knows people by their address: of several customers at one, whoever was here last stands for it.
placed as (
    select
        *,
        case
            when rule is null
                then row_number() over (partition by audience, email, rule order by last_seen_at desc nulls last, customer_id asc)
        end as address_place
    from judged
)

select
    audience,
    customer_id,
    email,
    reason,
    rule is null and address_place = 1 as is_member,
    coalesce(is_ai_personalisation_allowed, false) as is_ai_personalisation_allowed,
    case when rule is null and address_place > 1 then 'address_taken' else rule end as rule,
    case
        when rule = 'no_address' then 'No address is known.'
        when rule = 'address_refused' then 'Somebody at the same address has said no for good.'
        when rule is not null then coalesce(contact_reason, 'Nobody knows whether they may be written to.')
        when address_place > 1 then 'Somebody else at the same address is in it.'
    end as rule_reason
from placed
