-- Addresses to suppress: each address at an ESP, in any spelling, of a mailbox that has refused mail.
with destinations as (
    select distinct destination from {{ ref('audience_catalog') }}
),

-- Addresses at an ESP: those sent there, those pulled from it, and those of source esp if the ESP is that source. No address
-- goes to an ESP only to be suppressed there.
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

-- Mailboxes of customers who allow mail now, whatever others said there before.
allowed_mailboxes as (
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
    addresses.destination,
    mailboxes.audience,
    addresses.email,
    mailboxes.customer_id,
    mailboxes.reason,
    mailboxes.learned_at
from {{ with_mailboxes('known_addresses') }} as addresses
inner join {{ ref('refused_mailboxes') }} as mailboxes on addresses.widest_mailbox = mailboxes.widest_mailbox
left join allowed_mailboxes on addresses.mailbox = allowed_mailboxes.mailbox
where allowed_mailboxes.mailbox is null
