-- No customer has an address that people type to get past a form (seed blocked_identifiers): mail to it reaches a stranger.
with domains as (
    select * from {{ ref('mailbox_domains') }}
),

blocked as (
    select {{ mailbox_of('identifiers.identifier', 'domains') }} as mailbox
    from {{ ref('blocked_identifiers') }} as identifiers
    left join domains on {{ dbt.split_part('identifiers.identifier', "'@'", 2) }} = domains.email_domain
    where identifiers.identifier_type = 'email'
),

written_to as (
    select
        customers.customer_id,
        customers.email,
        {{ mailbox_of('customers.email', 'domains') }} as mailbox
    from {{ ref('customers') }} as customers
    left join domains on {{ dbt.split_part('customers.email', "'@'", 2) }} = domains.email_domain
)

select
    written_to.customer_id,
    written_to.email
from written_to
inner join blocked on written_to.mailbox = blocked.mailbox
