-- Where a no has to arrive: each address that an ESP has, in whatever spelling, whose mailbox must not be written to.
with destinations as (
    select distinct destination from {{ ref('audience_catalog') }}
),

-- Which addresses an ESP has: those that were sent there, those that a pull brought back from it, and those of source esp
-- if that is where they come from. No address goes to an ESP only to be suppressed there.
known_addresses as (
    select
        destination,
        email
    from {{ ref('esp_profile_state') }}
    union distinct
    select
        destinations.destination,
        profiles.email
    from {{ ref('stg_esp__profiles') }} as profiles
    inner join destinations on {{ destination_of_profile('profiles.profile_id') }} = destinations.destination
    where profiles.email is not null
),

suppressed_customers as (
    select distinct members.customer_id
    from {{ ref('audience_members') }} as members
    inner join {{ ref('audience_catalog') }} as audiences on members.audience = audiences.audience
    where audiences.is_suppression
),

-- Whose mailbox may be written to by now, whatever others once said there.
allowed as (
    select distinct customers.mailbox
    from {{ with_mailboxes(ref('customers')) }} as customers
    inner join {{ ref('consents') }} as consents
        on
            customers.customer_id = consents.customer_id
            and consents.channel = 'email'
            and consents.purpose = 'marketing_email'
    left join suppressed_customers on customers.customer_id = suppressed_customers.customer_id
    where consents.is_allowed and suppressed_customers.customer_id is null
)

select
    known.destination,
    mailboxes.audience,
    known.email,
    mailboxes.customer_id,
    mailboxes.reason,
    mailboxes.learned_at
from {{ with_mailboxes('known_addresses') }} as known
inner join {{ ref('refused_mailboxes') }} as mailboxes on known.widest_mailbox = mailboxes.widest_mailbox
left join allowed on known.mailbox = allowed.mailbox
where allowed.mailbox is null
