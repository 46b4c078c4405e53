-- Fails closed: a candidate is a member only if contactability allows the audience's message class, no other member has the
-- address, and the mailbox has not refused mail.
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

holdouts as (
    select distinct
        customer_id,
        decides
    from {{ ref('experiment_members') }}
    where is_held_out
),

candidate_rules as (
    select
        candidates.*,
        contacts.is_ai_personalisation_allowed,
        case
            when candidates.email is null then 'no_address'
            when candidates.is_suppression then null
            when not coalesce(contacts.is_allowed, false) then coalesce({{ dbt.split_part('contacts.blocked_by', "', '", 1) }}, 'no_consent')
            when refused_addresses.widest_mailbox is not null then 'address_refused'
            when holdouts_of_all.customer_id is not null or holdouts_of_audience.customer_id is not null then 'holdout'
        end as rule,
        contacts.reason as contact_reason
    from candidates
    left join {{ ref('contactability') }} as contacts
        on
            candidates.customer_id = contacts.customer_id
            and candidates.message_class = contacts.message_class
            and contacts.channel = 'email'
    left join refused_addresses on candidates.widest_mailbox = refused_addresses.widest_mailbox
    left join holdouts as holdouts_of_all
        on
            candidates.customer_id = holdouts_of_all.customer_id
            and holdouts_of_all.decides = 'marketing'
            and candidates.message_class <> 'transactional'
    left join holdouts as holdouts_of_audience
        on candidates.customer_id = holdouts_of_audience.customer_id and holdouts_of_audience.decides = 'audience:' || candidates.audience
),

-- ESPs identify profiles by address. Of several customers with one address, the last one seen is the member.
ranked_candidates as (
    select
        *,
        case
            when rule is null
                then row_number() over (partition by audience, email, rule order by last_seen_at desc nulls last, customer_id asc)
        end as address_place
    from candidate_rules
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
        when rule = 'no_address' then 'No address on record.'
        when rule = 'address_refused' then 'Another customer with this mailbox opted out for good.'
        when rule = 'holdout' then 'Held out to measure what e-mail earns.'
        when rule is not null then coalesce(contact_reason, 'No permission on record.')
        when address_place > 1 then 'Another customer with this address is already a member.'
    end as rule_reason
from ranked_candidates
